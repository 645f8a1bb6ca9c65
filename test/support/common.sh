# shellcheck shell=sh
# What the project's scripts share; sourced by them, never run.

say() {
        printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
        say "$*"
        exit 1
}

has() {
        command -v "$1" >/dev/null 2>&1
}

# Whether a process, or a group (-1234), has ended. A process that nobody has waited for yet has.
ended() {
        ! kill -s 0 -- "$1" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# wait_ended PROCESS SECONDS: there is no event for the end of a process that is not one's child,
# so this looks every 10 ms.
wait_ended() {
        looks=$(($2 * 100))
        until ended "$1"; do
                looks=$((looks - 1))
                [ "$looks" -gt 0 ] || return 1
                sleep 0.01
        done
}

# Runs a command in the background and waits for it, so that a signal reaches this shell's traps
# at once; plain sh would sit the command out first. The command gets a process group of its own:
# what it started ends with it. And it gets the signals back that sh ignores for a background job.
child_run() {
        child_before=${!-}
        child_running=yes
        (exec 3<&0) 2>/dev/null || exec </dev/null
        exec 3<&0
        if has setsid && env --default-signal=INT,QUIT true 2>/dev/null; then
                setsid env --default-signal=INT,QUIT "$@" <&3 3<&- &
        else
                "$@" <&3 3<&- &
        fi
        exec 3<&-
        child_status=0
        wait "$!" || child_status=$?
        child_running=''
        return "$child_status"
}

child_signal() {
        kill -s "$1" -- "-$child" 2>/dev/null || kill -s "$1" "$child" 2>/dev/null
}

# child_end SECONDS: ends what child_run is waiting for, its group with it, and waits until all are
# gone. What has not ended after so many seconds is killed.
child_end() {
        [ -n "${child_running-}" ] && [ "${!-}" != "$child_before" ] || return 0
        child=$!
        child_running=''
        child_signal TERM || :
        wait_ended "$child" "$1" || child_signal KILL || :
        wait "$child" || :
        wait_ended "-$child" "$1" || child_signal KILL || :
}

# Arranges for FUNCTION to be called once when the script ends, by a signal too. It should end the
# child first. Then the signal ends us as it would have, so that the caller sees it.
at_end() {
        at_end_function=$1
        trap at_end_run EXIT
        trap 'at_end_signal HUP' HUP
        trap 'at_end_signal INT' INT
        trap 'at_end_signal TERM' TERM
}

at_end_run() {
        trap - EXIT
        trap '' HUP INT TERM
        "$at_end_function"
}

at_end_signal() {
        at_end_run
        trap - "$1"
        kill -s "$1" $$
}
