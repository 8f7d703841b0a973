# The guest of kvmselftest.guest.ClockGuest: at each KVM_RUN it does one thing with its clocks, the one that the
# host has written into its mailbox, and tells the host what it saw. The argument is the mailbox's address.

        .include "ucall.inc"
        .include "tsc.inc"

        .set    COMMAND, 0
        .set    ARGUMENT0, 8
        .set    ARGUMENT1, 16
        .set    ARGUMENT2, 24

        .set    KVM_HC_CLOCK_PAIRING, 9

guest_main:
        mov     rbp, rsi                        # the mailbox
        xor     ebx, ebx                        # stage
1:      mov     rax, [rbp + COMMAND]
        lea     rdx, [rip + commands]
        call    [rdx + rax * 8]
        mov     rdi, rbx
        call    ucall_sync                      # values in RSI, RDX, RCX, R8, R9
        inc     rbx
        jmp     1b

        .balign 8, 0xcc
commands:
        .quad   nothing
        .quad   read_tsc
        .quad   read_kvmclock
        .quad   read_msr
        .quad   write_msr
        .quad   stream
        .quad   poll_msr
        .quad   sample_msr
        .quad   pair_clocks

nothing:
        ret

read_tsc:
        READ_TSC rsi
        ret

# Argument: the page. Values: kvmclock, the TSC it was computed from, the page's flags.
read_kvmclock:
        mov     rdi, [rbp + ARGUMENT0]
        call    pvclock_read
        mov     rsi, rax
        xchg    rcx, rdx
        ret

# Argument: the MSR. Values: what it holds, the TSC before and after.
read_msr:
        READ_TSC r10
        READ_MSR [rbp + ARGUMENT0]
        mov     rsi, rax
        READ_TSC rcx
        mov     rdx, r10
        ret

# Arguments: the MSR, what to write. Values: the TSC before and after.
write_msr:
        READ_TSC rsi
        mov     rax, [rbp + ARGUMENT1]
        WRITE_MSR [rbp + ARGUMENT0]
        READ_TSC rdx
        ret

# Argument: the stream's block. With the interrupt flag set, though no interrupt comes: Bochs 2.7 lets the host's
# interrupts take a CPU out of a guest only once the guest's flag has changed or differs from that of the host, whose
# KVM enters with interrupts off. Without it a guest that does not exit keeps its CPU from all else there.
stream:
        mov     rdi, [rbp + ARGUMENT0]
        sti
        call    clock_stream
        cli
        ret

# Arguments: an MSR, a mask, how long to wait, ticks. Waits until the MSR has a bit of the mask. Values: what the
# MSR held last, the TSC before and after it was read last.
poll_msr:
        READ_TSC r11
1:      READ_TSC r10
        READ_MSR [rbp + ARGUMENT0]
        mov     rsi, rax
        READ_TSC rcx
        mov     rdx, r10
        test    rsi, [rbp + ARGUMENT1]
        jnz     2f
        mov     rax, rcx
        sub     rax, r11
        cmp     rax, [rbp + ARGUMENT2]
        jbe     1b
2:      ret

# Arguments: an MSR that counts as the TSC does, how often to read it. Values: the largest of what it held - the TSC
# after, the smallest of what it held - the TSC before, signed.
sample_msr:
        mov     r11, [rbp + ARGUMENT1]
        mov     r8, 0x8000000000000000
        mov     r9, 0x7fffffffffffffff
1:      READ_TSC r10
        READ_MSR [rbp + ARGUMENT0]
        mov     rsi, rax
        READ_TSC rcx
        mov     rax, rsi
        sub     rax, rcx
        cmp     rax, r8
        cmovg   r8, rax
        sub     rsi, r10
        cmp     rsi, r9
        cmovl   r9, rsi
        dec     r11
        jnz     1b
        mov     rsi, r8
        mov     rdx, r9
        ret

# Arguments: where to write, which clock, 0 for AMD's instruction. Values: what the hypercall returned, the TSC before
# and after (Documentation/virt/kvm/x86/hypercalls.rst, KVM_HC_CLOCK_PAIRING).
pair_clocks:
        push    rbx
        READ_TSC r10
        mov     eax, KVM_HC_CLOCK_PAIRING
        mov     rbx, [rbp + ARGUMENT0]
        mov     rcx, [rbp + ARGUMENT1]
        cmp     qword ptr [rbp + ARGUMENT2], 0
        jne     1f
        vmmcall
        jmp     2f
1:      vmcall
2:      pop     rbx
        mov     rsi, rax
        READ_TSC rcx
        mov     rdx, r10
        ret

        .include "pvclock.inc"
        .include "clock_stream.inc"
