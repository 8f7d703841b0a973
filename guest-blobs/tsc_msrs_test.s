# Guest of TscMsrsTest (upstream: x86_64/tsc_msrs_test.c): writes IA32_TSC and IA32_TSC_ADJUST stage by stage
# and gives the host at the end of every stage what it reads of both.

        .include "ucall.inc"
        .include "tsc.inc"

        .set    UNITY, 1 << 30
        .set    GUEST_STEP, UNITY * 4

# Reads both MSRs and tells the host: IA32_TSC, IA32_TSC_ADJUST.
        .macro  REPORT stage
        READ_MSR MSR_IA32_TSC
        mov     rbx, rax
        READ_MSR MSR_IA32_TSC_ADJUST
        mov     edi, \stage
        mov     rsi, rbx
        mov     rdx, rax
        call    ucall_sync
        .endm

# Writes \value to MSR \index.
        .macro  SET_MSR index, value
        movabs  rax, \value
        WRITE_MSR \index
        .endm

guest_main:
        REPORT  0

        SET_MSR MSR_IA32_TSC, GUEST_STEP
        REPORT  1

        SET_MSR MSR_IA32_TSC_ADJUST, 2*GUEST_STEP
        REPORT  2

        # Before stage 3 the host writes IA32_TSC.
        REPORT  3

        SET_MSR MSR_IA32_TSC_ADJUST, 3*GUEST_STEP
        REPORT  4

        SET_MSR MSR_IA32_TSC, 4*GUEST_STEP
        REPORT  5

        jmp     ucall_done
