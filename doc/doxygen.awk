# What Doxygen is shown of a header in include/pipit: line by line the same, but that
#
# - the head comment becomes the documentation of the file;
# - macros whose names end in an underscore, or begin with PIPIT_C_, are left out: they are not for
#   programs;
# - the list of error codes becomes an enum with a comment for each.

FNR == 1 && $0 == "/*" {
        print "/** @file"
        next
}

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
