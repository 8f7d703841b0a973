# Not a guest: the host's half of a clock stream, a function of the block's address.

        .intel_syntax noprefix
        .include "tsc.inc"

        .text
        jmp     clock_stream

        .include "pvclock.inc"
        .include "clock_stream.inc"
