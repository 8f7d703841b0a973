# Guest of KvmClockTest (upstream: kvm_clock_test.c): enables its pvclock page, whose address is the
# argument, then gives the host kvmclock (ns), the TSC it was computed from and the page's flags, at every
# stage anew, for as long as the host runs it.

        .include "ucall.inc"
        .include "tsc.inc"
        .include "pvclock.inc"

guest_main:
        mov     rbp, rsi                        # the page
        mov     rdi, rbp
        call    pvclock_enable
        xor     ebx, ebx                        # stage
1:      mov     rdi, rbp
        call    pvclock_read
        mov     rsi, rax
        xchg    rcx, rdx                        # RDX = TSC, RCX = flags
        mov     rdi, rbx
        call    ucall_sync
        inc     rbx
        jmp     1b
