# Not a guest: a function that the host calls to read its own TSC. Returns it in RAX.

        .intel_syntax noprefix
        .include "tsc.inc"

        .text
        READ_TSC rax
        ret
