# Guest of SystemCounterOffsetTest (upstream: system_counter_offset_test.c): gives the host its TSC, at
# every stage anew, for as long as the host runs it.

        .include "ucall.inc"
        .include "tsc.inc"

guest_main:
        xor     ebx, ebx                        # stage
1:      READ_TSC rsi
        mov     rdi, rbx
        call    ucall_sync
        inc     rbx
        jmp     1b
