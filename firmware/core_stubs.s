// Code that the gate itself needs in guest memory; core_stubs.inc holds it assembled (a test compares the two).
// Position independent; one copy in the runtime area, one in the PAL block. Gate immediates: gate_imm in call_gate.h.
        .explicit
        .text
return_gate:            // 0x000: where guest functions called by firmware return to
        { .mmi
        break.m 0x1b0000
        nop.m 0
        nop.i 0 ;;
        }
wait_gate:              // 0x010: entered again and again while a service waits
        { .mmi
        break.m 0x1b0001
        nop.m 0
        nop.i 0 ;;
        }
boot_gate:              // 0x020: first bundle of the boot processor
        { .mmi
        break.m 0x1b0002
        nop.m 0
        nop.i 0 ;;
        }
touch_read:             // 0x030: makes the guest's own miss handlers map the page at r14 for reading; no frame of its own
        { .mmi
        ld1 r8 = [r14] ;;
        break.m 0x1b0000
        nop.i 0 ;;
        }
touch_write:            // 0x040: ... for writing
        { .mmi
        ld1 r8 = [r14] ;;
        st1 [r14] = r8
        nop.i 0 ;;
        }
        { .mmi
        break.m 0x1b0000
        nop.m 0
        nop.i 0 ;;
        }
ap_wait:                // 0x060: secondary processors wait here for the wake-up vector
        { .mmi
        rsm psr.i ;;
        break.m 0x1b0004
        nop.i 0 ;;
        }
        { .mmi
        mov r16 = cr.ivr ;;
        srlz.d
        nop.i 0 ;;
        }
        { .mmi
        mov cr.eoi = r0 ;;
        srlz.d
        nop.i 0 ;;
        }
        { .mmi
        break.m 0x1b0005
        nop.m 0
        nop.i 0 ;;
        }
        { .mib
        nop.m 0
        nop.i 0
        br.cond.sptk.few ap_wait ;;
        }
start_image:            // 0x0b0: r32 = entry descriptor, r33 = image handle, r34 = system table; Exit() comes back here
        { .mii
        alloc r35 = ar.pfs, 3, 3, 2, 0
        mov r36 = b0
        mov r37 = r1 ;;
        }
        { .mib
        nop.m 0
        nop.i 0
        br.call.sptk.many b0 = save_state ;;
        }
        { .mib
        cmp.ne p6, p0 = r0, r8
        nop.i 0
        (p6) br.cond.sptk.few image_done ;;
        }
        { .mmi
        ld8 r14 = [r32], 8 ;;
        ld8 r1 = [r32]
        mov b6 = r14
        }
        { .mib
        mov r38 = r33
        mov r39 = r34
        br.call.sptk.many b0 = b6 ;;
        }
image_done:
        { .mii
        mov r1 = r37
        mov b0 = r36
        mov.i ar.pfs = r35 ;;
        }
        { .mib
        nop.m 0
        nop.i 0
        br.ret.sptk.many b0 ;;
        }
save_state:             // 0x120: spills the whole stack, then the host notes what Exit() has to bring back
        { .mmi
        flushrs ;;
        mov r8 = r0
        nop.i 0 ;;
        }
        { .mmi
        break.m 0x1b0003
        nop.m 0
        nop.i 0 ;;
        }
        { .mib
        nop.m 0
        nop.i 0
        br.ret.sptk.many b0 ;;
        }
restore_state:          // 0x150: r14 = ar.bspstore, r15 = ar.rnat, r16 = ar.rsc of save_state; b0, ar.pfs are set
        { .mmi
        mov.m ar.rsc = r0 ;;
        loadrs
        nop.i 0 ;;
        }
        { .mmi
        mov.m ar.bspstore = r14 ;;
        mov.m ar.rnat = r15
        nop.i 0 ;;
        }
        { .mmi
        mov.m ar.rsc = r16 ;;
        invala
        nop.i 0 ;;
        }
        { .mib
        mov r8 = 1
        nop.i 0
        br.ret.sptk.many b0 ;;
        }
external_interrupt:     // 0x190: copied to its place in the interruption vector table
        { .mmi
        mov r16 = cr.ivr ;;
        srlz.d
        nop.i 0 ;;
        }
        { .mmi
        mov cr.eoi = r0 ;;
        srlz.d
        nop.i 0 ;;
        }
        { .mib
        break.m 0x1b0006
        nop.i 0
        rfi ;;
        }
