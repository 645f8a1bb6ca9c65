# Read by the scripts of this suite: results in TAP, one line each, what failed behind "#".

tap_n=0
tap_dir=$(mktemp -d)
trap 'rm -rf "$tap_dir"' EXIT

# tap_ok NAME COMMAND...: passes when the command does.
tap_ok() {
        tap_name=$1
        shift
        tap_n=$((tap_n + 1))
        if "$@" >"$tap_dir/output" 2>&1; then
                echo "ok $tap_n - $tap_name"
        else
                echo "not ok $tap_n - $tap_name"
                sed 's/^/# /' "$tap_dir/output"
        fi
}

# tap_fails NAME COMMAND...: passes when the command does not.
tap_fails() {
        tap_name=$1
        shift
        tap_ok "$tap_name" tap_not "$@"
}

tap_not() {
        ! "$@"
}

tap_skip() {
        tap_n=$((tap_n + 1))
        echo "ok $tap_n - $1 # SKIP $2"
}

tap_end() {
        echo "1..$tap_n"
}

has() {
        command -v "$1" >/dev/null 2>&1
}
