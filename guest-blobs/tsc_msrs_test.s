# Guest of TscMsrsTest (upstream: x86_64/tsc_msrs_test.c): reads and writes IA32_TSC and IA32_TSC_ADJUST
# stage by stage and checks what it reads, rounded to a multiple of UNITY since the TSC goes on meanwhile.

        .include "ucall.inc"
        .include "tsc.inc"

        .set    UNITY_SHIFT, 30
        .set    UNITY, 1 << UNITY_SHIFT
        .set    GUEST_STEP, UNITY * 4
        .set    HOST_ADJUST, UNITY * 64

# Fails unless MSR \index, rounded, is \expected.
        .macro  ASSERT_ROUNDED_MSR index, expected, message
        READ_MSR \index
        add     rax, UNITY / 2
        shr     rax, UNITY_SHIFT
        shl     rax, UNITY_SHIFT
        mov     rbx, rax
        movabs  rbp, \expected
        ASSERT_EQ rbx, rbp, "\message"
        .endm

# Writes \value to MSR \index.
        .macro  SET_MSR index, value
        movabs  rax, \value
        WRITE_MSR \index
        .endm

        .macro  SYNC stage
        mov     edi, \stage
        call    ucall_sync
        .endm

guest_main:
        ASSERT_ROUNDED_MSR MSR_IA32_TSC, 0, "stage 1: IA32_TSC of a new vCPU"
        ASSERT_ROUNDED_MSR MSR_IA32_TSC_ADJUST, 0, "stage 1: IA32_TSC_ADJUST of a new vCPU"

        # A guest's write to IA32_TSC changes both.
        SET_MSR MSR_IA32_TSC, GUEST_STEP
        ASSERT_ROUNDED_MSR MSR_IA32_TSC, GUEST_STEP, "stage 1: IA32_TSC after the guest wrote it"
        ASSERT_ROUNDED_MSR MSR_IA32_TSC_ADJUST, GUEST_STEP, "stage 1: IA32_TSC_ADJUST after the guest wrote IA32_TSC"

        # A guest's write to IA32_TSC_ADJUST changes both.
        SYNC    2
        SET_MSR MSR_IA32_TSC_ADJUST, 2*GUEST_STEP
        ASSERT_ROUNDED_MSR MSR_IA32_TSC, 2*GUEST_STEP, "stage 2: IA32_TSC after the guest wrote IA32_TSC_ADJUST"
        ASSERT_ROUNDED_MSR MSR_IA32_TSC_ADJUST, 2*GUEST_STEP, "stage 2: IA32_TSC_ADJUST after the guest wrote it"

        # The host has written IA32_TSC: its offset is not part of IA32_TSC_ADJUST.
        SYNC    3
        ASSERT_ROUNDED_MSR MSR_IA32_TSC, HOST_ADJUST+2*GUEST_STEP, "stage 3: IA32_TSC after the host wrote it"
        ASSERT_ROUNDED_MSR MSR_IA32_TSC_ADJUST, 2*GUEST_STEP, "stage 3: IA32_TSC_ADJUST after the host wrote IA32_TSC"

        # A guest's write to IA32_TSC_ADJUST keeps the host's offset and changes both.
        SYNC    4
        SET_MSR MSR_IA32_TSC_ADJUST, 3*GUEST_STEP
        ASSERT_ROUNDED_MSR MSR_IA32_TSC, HOST_ADJUST+3*GUEST_STEP, "stage 4: IA32_TSC after the guest wrote IA32_TSC_ADJUST"
        ASSERT_ROUNDED_MSR MSR_IA32_TSC_ADJUST, 3*GUEST_STEP, "stage 4: IA32_TSC_ADJUST after the guest wrote it"

        # A guest's write to IA32_TSC changes both, so the host's offset now shows in IA32_TSC_ADJUST.
        SYNC    5
        SET_MSR MSR_IA32_TSC, 4*GUEST_STEP
        ASSERT_ROUNDED_MSR MSR_IA32_TSC, 4*GUEST_STEP, "stage 5: IA32_TSC after the guest wrote it"
        ASSERT_ROUNDED_MSR MSR_IA32_TSC_ADJUST, 4*GUEST_STEP-HOST_ADJUST, "stage 5: IA32_TSC_ADJUST after the guest wrote IA32_TSC"

        jmp     ucall_done
