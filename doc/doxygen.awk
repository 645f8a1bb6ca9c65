# Shows Doxygen a header of include/pipit. Every line stays in its place, for the warnings. Changed is
# this:
#
# - all declarations become a group, pipit-scope for scope.h, and the head comment documents it: its
#   first line is the title;
# - macros whose names end in an underscore, or begin with PIPIT_C_, are left out: they are not for
#   programs;
# - a struct without members that has a comment gets an empty list of them, or it would have no page;
# - the list of error codes becomes an enum with a comment for each.

FNR == 1 {
        name = FILENAME
        sub(/.*\//, "", name)
        print "/** @file */ /**"
        next
}

FNR == 2 {
        sub(/^ \* /, "")
        group = "pipit-" substr(name, 1, length(name) - 2)
        print " * @defgroup " group " " $0 " (pipit/" name ")"
        head = 1
        next
}

head && $0 == " */" {
        print " */ /** @{ */"
        head = 0
        next
}

END { print "/** @} */" }

/^struct [a-z_]+;$/ && documented {
        sub(/;$/, " {};")
}

{ documented = $0 ~ /^(\/\*\*.*| )\*\/$/ }

# The rest of a macro that is left out.
skipping {
        skipping = /\\$/
        print ""
        next
}

/^#define +[A-Za-z0-9_]+_([ (]|$)/ || /^#define +PIPIT_C_/ {
        skipping = /\\$/
        print ""
        next
}

/^ +X\(PIPIT_E/ {
        split($0, part, /[(,]/)
        split($0, text, "\"")
        codes = codes ", " part[2] " =" part[3] " /**< " text[2] " */"
}

/^enum pipit_code / {
        print "enum pipit_code { PIPIT_OK = 0 /**< success */" codes " };"
        next
}

{ print }
