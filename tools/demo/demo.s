	.file	"demo.c"
	.pred.safe_across_calls p1-p5,p16-p63
	.text
	.align 16
	.align 64
	.proc put#
put:
	.mmi
	alloc r37 = ar.pfs, 1, 6, 3, 0
	adds r12 = -16, r12
	mov r36 = b0
	.mlx
	ld1 r14 = [r32]
	movl r34 = @gprel(con_out#)
	;;
	.mib
	nop 0
	sxt1 r14 = r14
	nop 0
	.mmi
	adds r33 = 18, r12
	adds r35 = 20, r12
	add r34 = r1, r34
	;;
	.mmi
	nop 0
	adds r32 = 1, r32
	mov r15 = r14
	.mmb
	nop 0
	cmp4.ne p6, p7 = 0, r14
	(p7) br.cond.dpnt .L1
	;;
	.align 32
.L4:
	.mmi
	cmp4.ne p6, p7 = 10, r15
	ld8 r40 = [r34]
	adds r41 = 16, r12
	.mmi
	st2 [r33] = r0
	st2 [r35] = r0
	nop 0
	;;
	.mmi
	(p6) mov r14 = r0
	(p6) mov r17 = r0
	adds r16 = 8, r40
	;;
	.mmi
	nop 0
	(p7) addl r14 = 1, r0
	(p7) addl r17 = 13, r0
	.mii
	ld8 r39 = [r16]
	nop 0
	;;
	shladd r14 = r14, 1, r0
	.mmi
	st2 [r41] = r17
	;;
	add r14 = r41, r14
	nop 0
	;;
	.mib
	st2 [r14] = r15
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mmi
	ld1 r14 = [r32], 1
	;;
	nop 0
	sxt1 r14 = r14
	;;
	.mib
	mov r15 = r14
	cmp4.ne p6, p7 = 0, r14
	(p6) br.cond.dptk .L4
.L1:
	.mii
	nop 0
	mov b0 = r36
	;;
	mov ar.pfs = r37
	.mmb
	nop 0
	adds r12 = 16, r12
	br.ret.sptk.many b0
	.endp put#
	.align 16
	.align 64
	.proc put_number#
put_number:
	.mmb
	alloc r42 = ar.pfs, 3, 10, 3, 0
	adds r12 = -32, r12
	nop 0
	.mmi
	addp4 r17 = r33, r0
	setf.sig f11 = r32
	mov r44 = ar.lc
	;;
	.mmi
	setf.sig f6 = r17
	sub r14 = r0, r17
	mov r41 = b0
	.mmi
	cmp.eq p7, p8 = 0, r17
	adds r16 = 16, r12
	mov r36 = r0
	;;
	.mmi
	setf.sig f13 = r14
	nop 0
	(p7) break 1
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f7 = f11
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f10 = f6
	;;
	.mmf
	nop 0
	nop 0
	frcpa.s1 f6, p6 = f7, f10
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f8 = f10, f6, f1
	nop 0
	.mfi
	nop 0
	(p6) fmpy.s1 f9 = f7, f6
	nop 0
	;;
	.mfi
	nop 0
	(p6) fmpy.s1 f12 = f8, f8
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f9 = f9, f8, f9
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f6, f8, f6
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f12, f9, f9
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f8, f12, f8
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f12 = f10, f9, f7
	;;
	.mfi
	nop 0
	(p6) fma.s1 f6 = f12, f8, f9
	nop 0
	.mfi
	nop 0
	frcpa.s1 f9, p6 = f7, f10
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	fcvt.fxu.trunc.s1 f6 = f6
	;;
	.mfi
	nop 0
	xma.l f8 = f6, f13, f11
	nop 0
	.mfi
	nop 0
	(p6) fnma.s1 f6 = f10, f9, f1
	nop 0
	;;
	.mfi
	getf.sig r14 = f8
	(p6) fmpy.s1 f8 = f7, f9
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f8, f6, f8
	;;
	.mii
	nop 0
	zxt1 r15 = r14
	cmp.ltu p9, p10 = 9, r14
	;;
	.mmi
	(p10) adds r14 = 48, r15
	;;
	(p9) adds r14 = 87, r15
	adds r15 = 1, r36
	;;
	.mii
	nop 0
	sxt1 r14 = r14
	nop 0
	;;
	.mmi
	st1 [r16] = r14, 1
	nop 0
	(p7) break 1
	;;
	.mmf
	nop 0
	getf.sig r14 = f11
	(p6) fmpy.s1 f11 = f6, f6
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f6 = f9, f6, f9
	;;
	.mfi
	nop 0
	(p6) fma.s1 f8 = f11, f8, f8
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f6 = f6, f11, f6
	nop 0
	;;
	.mib
	cmp.leu p9, p10 = r17, r14
	nop 0
	(p10) br.cond.dpnt .L27
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f7 = f10, f8, f7
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f7, f6, f8
	;;
	.mfi
	nop 0
	fcvt.fxu.trunc.s1 f11 = f9
	nop 0
	;;
	.align 32
.L21:
	.pred.rel.mutex p8, p9
	.mmf
	nop 0
	nop 0
	fcvt.xuf f7 = f11
	.mmi
	mov r36 = r15
	nop 0
	(p7) break 1
	;;
	.mmf
	nop 0
	nop 0
	frcpa.s1 f6, p6 = f7, f10
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f8 = f10, f6, f1
	nop 0
	.mfi
	nop 0
	(p6) fmpy.s1 f9 = f7, f6
	nop 0
	;;
	.mfi
	nop 0
	(p6) fmpy.s1 f12 = f8, f8
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f9 = f9, f8, f9
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f6, f8, f6
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f12, f9, f9
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f8, f12, f8
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f12 = f10, f9, f7
	;;
	.mfi
	nop 0
	(p6) fma.s1 f6 = f12, f8, f9
	nop 0
	.mfi
	nop 0
	frcpa.s1 f9, p6 = f7, f10
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	fcvt.fxu.trunc.s1 f6 = f6
	;;
	.mfi
	nop 0
	xma.l f8 = f6, f13, f11
	nop 0
	.mfi
	nop 0
	(p6) fnma.s1 f6 = f10, f9, f1
	nop 0
	;;
	.mfi
	getf.sig r14 = f8
	(p6) fmpy.s1 f8 = f7, f9
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f8, f6, f8
	;;
	.mii
	nop 0
	zxt1 r15 = r14
	cmp.ltu p9, p10 = 9, r14
	;;
	.mmi
	(p10) adds r14 = 48, r15
	;;
	(p9) adds r14 = 87, r15
	adds r15 = 1, r36
	;;
	.mii
	nop 0
	sxt1 r14 = r14
	nop 0
	;;
	.mmi
	st1 [r16] = r14, 1
	nop 0
	(p7) break 1
	;;
	.mmf
	nop 0
	getf.sig r14 = f11
	(p6) fmpy.s1 f11 = f6, f6
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f6 = f9, f6, f9
	;;
	.mfi
	nop 0
	(p6) fma.s1 f8 = f11, f8, f8
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f6 = f6, f11, f6
	nop 0
	;;
	.mmi
	nop 0
	cmp.leu p9, p10 = r17, r14
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f7 = f10, f8, f7
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f7, f6, f8
	;;
	.mfb
	nop 0
	fcvt.fxu.trunc.s1 f11 = f9
	(p9) br.cond.dptk .L21
.L27:
	.mmi
	cmp4.ltu p6, p7 = r15, r34
	addl r40 = 32, r0
	sub r15 = r15, r34
	.mmb
	adds r35 = 40, r12
	adds r37 = 42, r12
	(p7) br.cond.dpnt .L28
	;;
	.mmi
	cmp4.ne p6, p7 = 16, r33
	nop 0
	andcm r15 = -1, r15
	.mlx
	adds r39 = 44, r12
	movl r38 = @gprel(con_out#)
	;;
	.mmi
	(p7) addl r40 = 48, r0
	addp4 r15 = r15, r0
	add r38 = r1, r38
	;;
	.mii
	nop 0
	sxt1 r40 = r40
	;;
	mov ar.lc = r15
	.align 32
.L18:
	.mmi
	ld8 r46 = [r38]
	st2 [r37] = r0
	mov r47 = r35
	.mmi
	nop 0
	st2 [r39] = r0
	nop 0
	;;
	.mmi
	adds r14 = 8, r46
	st2 [r35] = r40
	nop 0
	;;
	.mib
	ld8 r45 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	nop 0
	nop 0
	br.cloop.sptk.few .L18
	.mii
	adds r15 = 16, r12
	addp4 r36 = r36, r0
	;;
	add r36 = r15, r36
	;;
	.mii
	sub r14 = r36, r15
	nop 0
	;;
	mov ar.lc = r14
	.align 32
.L15:
	.mmi
	ld1 r15 = [r36], -1
	st2 [r37] = r0
	mov r47 = r35
	.mmi
	st2 [r39] = r0
	ld8 r46 = [r38]
	nop 0
	;;
	.mii
	nop 0
	sxt1 r15 = r15
	adds r16 = 8, r46
	;;
	.mmi
	cmp4.ne p6, p7 = 10, r15
	ld8.a r45 = [r16]
	nop 0
	;;
	.mmi
	(p6) mov r14 = r0
	nop 0
	(p6) mov r17 = r0
	;;
	.mmi
	(p7) addl r14 = 1, r0
	nop 0
	(p7) addl r17 = 13, r0
	;;
	.mmi
	shladd r14 = r14, 1, r0
	st2 [r35] = r17
	nop 0
	;;
	.mmi
	add r14 = r35, r14
	ld8.c.clr r45 = [r16]
	nop 0
	;;
	.mib
	st2 [r14] = r15
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	nop 0
	nop 0
	br.cloop.sptk.few .L15
	.mii
	nop 0
	mov b0 = r41
	nop 0
	;;
	.mii
	nop 0
	mov ar.pfs = r42
	;;
	mov ar.lc = r44
	.mmb
	nop 0
	adds r12 = 32, r12
	br.ret.sptk.many b0
	;;
.L28:
	.mmi
	adds r15 = 16, r12
	addp4 r36 = r36, r0
	adds r35 = 40, r12
	.mlx
	adds r37 = 42, r12
	movl r38 = @gprel(con_out#)
	;;
	.mmi
	add r36 = r15, r36
	adds r39 = 44, r12
	add r38 = r1, r38
	;;
	.mmi
	nop 0
	sub r14 = r36, r15
	nop 0
	;;
	.mib
	nop 0
	mov ar.lc = r14
	br .L15
	.endp put_number#
	.section	.rodata.str1.8,"aMS",@progbits,1
	.align 8
.LC0:
	stringz	"partition "
	.align 8
.LC1:
	stringz	"disk      "
	.align 8
.LC2:
	stringz	"\nivm demonstration: what an operating system finds on this machine\n"
	.align 8
.LC3:
	stringz	"\nFirmware\n  vendor     "
	.align 8
.LC4:
	stringz	"\n  EFI        "
	.align 8
.LC5:
	stringz	"."
	.align 8
.LC6:
	stringz	"\n  time       "
	.align 8
.LC7:
	stringz	"-"
	.align 8
.LC8:
	stringz	" "
	.align 8
.LC9:
	stringz	":"
	.align 8
.LC10:
	stringz	"\n"
	.align 8
.LC11:
	stringz	"\nTables\n"
	.align 8
.LC12:
	stringz	"  ACPI      "
	.align 8
.LC13:
	stringz	"  SAL        OEM "
	.align 8
.LC14:
	stringz	"  SMBIOS     at "
	.align 8
.LC15:
	stringz	"0x"
	.align 8
.LC16:
	stringz	"  other      "
	.align 8
.LC17:
	stringz	"  HCDP/PCDP  "
	.align 8
.LC18:
	stringz	" revision "
	.align 8
.LC19:
	stringz	"\nProcessor\n  vendor     "
	.align 8
.LC20:
	stringz	"\n  family     "
	.align 8
.LC21:
	stringz	" model "
	.align 8
.LC22:
	stringz	"\n  features   "
	.align 8
.LC23:
	stringz	"\n  platform   "
	.align 8
.LC24:
	stringz	" MHz, interval timer "
	.align 8
.LC25:
	stringz	" MHz"
	.align 8
.LC26:
	stringz	"\nMemory map\n"
	.align 8
.LC27:
	stringz	"  not available\n"
	.align 8
.LC28:
	stringz	"  "
	.align 8
.LC29:
	stringz	" - "
	.align 8
.LC30:
	stringz	"  free       "
	.align 8
.LC31:
	stringz	" MiB\n"
	.align 8
.LC32:
	stringz	"\nBlock devices\n"
	.align 8
.LC33:
	stringz	"  none\n"
	.align 8
.LC34:
	stringz	" blocks of "
	.align 8
.LC35:
	stringz	" bytes, "
	.align 8
.LC36:
	stringz	"\nMeasured\n  processor  "
	.align 8
.LC37:
	stringz	" thousand xorshift rounds a second\n"
	.align 8
.LC38:
	stringz	"no timer frequency\n"
	.align 8
.LC39:
	stringz	"  disk       "
	.align 8
.LC40:
	stringz	" MiB/s reading "
	.align 8
.LC41:
	stringz	" MiB in 1 MiB requests\n"
	.align 8
.LC42:
	stringz	"could not be read\n"
	.align 8
.LC43:
	stringz	"\nDEMO READY\nPress p to power off, r to reset, x to return to the boot manager.\n"
	.text
	.align 16
	.align 64
	.global demo_main#
	.type	demo_main#, @function
	.proc demo_main#
demo_main:
	.mmb
	alloc r61 = ar.pfs, 2, 29, 6, 0
	adds r16 = -8, r12
	nop 0
	.mii
	adds r12 = -128, r12
	mov r17 = ar.lc
	adds r14 = 96, r33
	;;
	.mlx
	adds r15 = 88, r33
	movl r40 = @gprel(con_in#)
	.mlx
	mov r67 = r0
	movl r35 = @gprel(con_out#)
	;;
	.mlx
	mov r66 = r0
	movl r42 = @gprel(boot#)
	.mlx
	add r40 = r1, r40
	movl r43 = @gprel(runtime#)
	;;
	.mmb
	add r35 = r1, r35
	add r42 = r1, r42
	nop 0
	.mii
	add r43 = r1, r43
	mov r60 = b0
	mov r65 = r0
	;;
	.mmi
	mov r64 = r0
	adds r36 = 20, r12
	adds r37 = 18, r12
	;;
	.mmi
	st8 [r16] = r17, 8
	nop 0
	adds r17 = 48, r33
	;;
	.mmi
	stf.spill [r16] = f2
	nop 0
	adds r16 = 64, r33
	;;
	.mmi
	ld8 r14 = [r14]
	ld8 r18 = [r17]
	nop 0
	;;
	.mmi
	adds r17 = 256, r14
	ld8 r15 = [r15]
	nop 0
	.mmi
	st8 [r42] = r14
	st8 [r40] = r18
	nop 0
	;;
	.mmi
	nop 0
	ld8 r16 = [r16]
	nop 0
	.mmi
	st8 [r43] = r15
	ld8 r63 = [r17]
	nop 0
	;;
	.mib
	st8 [r35] = r16
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC2)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC3)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r14 = 24, r33
	;;
	ld8 r34 = [r14]
	nop 0
	;;
	.mmi
	nop 0
	ld2 r14 = [r34]
	nop 0
	;;
	.mib
	mov r15 = r14
	cmp4.ne p6, p7 = 0, r14
	(p7) br.cond.dpnt .L35
	;;
	.align 32
.L34:
	.mmi
	nop 0
	adds r65 = 16, r12
	sxt1 r15 = r15
	.mmi
	ld8 r64 = [r35]
	st2 [r37] = r0
	adds r34 = 2, r34
	;;
	.mmi
	nop 0
	cmp4.ne p6, p7 = 10, r15
	adds r16 = 8, r64
	.mmi
	st2 [r36] = r0
	;;
	(p6) mov r14 = r0
	(p6) mov r17 = r0
	.mmi
	ld8.a r63 = [r16]
	;;
	(p7) addl r14 = 1, r0
	(p7) addl r17 = 13, r0
	;;
	.mmi
	shladd r14 = r14, 1, r0
	st2 [r65] = r17
	nop 0
	;;
	.mmi
	add r14 = r65, r14
	ld8.c.clr r63 = [r16]
	nop 0
	;;
	.mib
	st2 [r14] = r15
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mmi
	nop 0
	ld2 r14 = [r34]
	nop 0
	;;
	.mib
	mov r15 = r14
	cmp4.ne p6, p7 = 0, r14
	(p6) br.cond.dptk .L34
.L35:
	.mlx
	nop 0
	movl r63 = @gprel(.LC4)
	.mmi
	adds r34 = 8, r33
	mov r50 = r0
	mov r41 = r0
	;;
	.mlx
	add r63 = r1, r63
	movl r47 = 1284622044757551217
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld4 r63 = [r34]
	nop 0
	mov r65 = r0
	.mlx
	addl r64 = 10, r0
	movl r51 = 1284420384822471986
	;;
	.mib
	nop 0
	extr.u r63 = r63, 16, 16
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC5)
	.mlx
	nop 0
	movl r55 = 1284420384822471985
	;;
	.mlx
	add r63 = r1, r63
	movl r57 = 4823181529504125837
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld2 r63 = [r34]
	nop 0
	mov r65 = r0
	.mmb
	addl r64 = 10, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mmi
	ld8 r14 = [r43]
	nop 0
	mov r65 = r0
	.mlx
	adds r64 = 16, r12
	movl r58 = -7460047324890629758
	;;
	.mlx
	adds r14 = 24, r14
	movl r54 = 5602828850577807002
	.mlx
	nop 0
	movl r56 = -9112967018440547652
	;;
	.mib
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	.mmb
	cmp.eq p6, p7 = 0, r8
	nop 0
	(p6) br.cond.dpnt .L136
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC11)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r14 = 104, r33
	movl r52 = @gprel(.LC16)
	.mlx
	adds r33 = 112, r33
	movl r53 = @gprel(.LC15)
	;;
	.mlx
	ld8 r45 = [r14]
	movl r49 = @gprel(.LC10)
	.mlx
	add r52 = r1, r52
	movl r59 = @gprel(.LC12)
	;;
	.mmi
	nop 0
	ld8 r38 = [r33]
	cmp.eq p6, p7 = 0, r45
	.mmi
	add r53 = r1, r53
	add r49 = r1, r49
	add r59 = r1, r59
	;;
	.mib
	adds r38 = 8, r38
	(p6) mov r50 = r0
	(p6) br.cond.dpnt .L36
	;;
	.align 32
.L61:
	.mmi
	adds r36 = -8, r38
	nop 0
	adds r14 = 8, r38
	;;
	.mmi
	ld8 r15 = [r36]
	ld8 r34 = [r14]
	nop 0
	;;
	.mib
	cmp.ne p6, p7 = r47, r15
	nop 0
	(p7) br.cond.dpnt .L137
	;;
	.mib
	cmp.eq p6, p7 = r51, r15
	nop 0
	(p7) br.cond.dpnt .L138
	;;
	.mmi
	nop 0
	ld8 r14 = [r38]
	nop 0
	;;
	.mib
	nop 0
	cmp.eq p6, p7 = r54, r14
	(p6) br.cond.dpnt .L139
.L38:
	.mib
	mov r63 = r52
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	nop 0
	mov r63 = r53
	nop 0
	.mmb
	ld8 r34 = [r36]
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	nop 0
	mov r65 = r0
	addl r64 = 16, r0
	.mmb
	nop 0
	mov r63 = r34
	br.call.sptk.many b0 = put_number#
	;;
.L131:
	.mib
	nop 0
	mov r63 = r49
	br.call.sptk.many b0 = put#
.L54:
	.mmi
	adds r41 = 1, r41
	nop 0
	adds r38 = 24, r38
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = r41, r45
	(p6) br.cond.dptk .L61
.L36:
	.mmi
	adds r14 = 64, r12
	adds r15 = 16, r12
	adds r36 = 48, r12
	.mmi
	adds r45 = 56, r12
	adds r49 = 24, r12
	adds r44 = 40, r12
	;;
	.mmi
	st8 [r14] = r0
	adds r14 = 72, r12
	mov r63 = r0
	.mmi
	st8 [r15] = r0
	adds r38 = 80, r12
	adds r34 = 96, r12
	;;
	.mmi
	st8 [r14] = r0
	adds r14 = 32, r12
	mov r37 = r38
	.mmi
	st8 [r36] = r0
	adds r41 = 100, r12
	adds r39 = 98, r12
	;;
	.mmi
	st8 [r14] = r0
	st8 [r45] = r0
	nop 0
	;;
	.mmi
	nop 0
	st8 [r49] = r0
	nop 0
	.mmb
	st8 [r44] = r0
	nop 0
	br.call.sptk.many b0 = read_cpuid#
	;;
	.mmi
	nop 0
	addl r63 = 1, r0
	nop 0
	.mmb
	st8 [r38] = r8
	nop 0
	br.call.sptk.many b0 = read_cpuid#
	;;
	.mlx
	adds r14 = 88, r12
	movl r63 = @gprel(.LC19)
	;;
	.mmi
	nop 0
	add r63 = r1, r63
	nop 0
	.mmb
	st8 [r14] = r8
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	mov ar.lc = 11
	nop 0
	.align 32
.L63:
	.mmi
	ld1 r14 = [r37], 1
	st2 [r41] = r0
	mov r65 = r34
	.mmi
	st2 [r39] = r0
	ld8 r64 = [r35]
	nop 0
	;;
	.mii
	nop 0
	sxt1 r14 = r14
	adds r16 = 8, r64
	;;
	.mmi
	adds r15 = -32, r14
	ld8 r63 = [r16]
	nop 0
	;;
	.mii
	nop 0
	zxt1 r15 = r15
	;;
	cmp4.geu p6, p7 = 94, r15
	;;
	.mmi
	nop 0
	(p7) addl r14 = 46, r0
	nop 0
	;;
	.mib
	st2 [r34] = r14
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	nop 0
	nop 0
	br.cloop.sptk.few .L63
	.mib
	addl r63 = 3, r0
	nop 0
	br.call.sptk.many b0 = read_cpuid#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC20)
	.mmi
	nop 0
	mov r35 = r8
	nop 0
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC15)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	extr.u r63 = r35, 24, 8
	nop 0
	.mmb
	mov r65 = r0
	addl r64 = 16, r0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC21)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC15)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	extr.u r63 = r35, 16, 8
	nop 0
	.mmb
	mov r65 = r0
	addl r64 = 16, r0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC18)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC15)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	extr.u r63 = r35, 8, 8
	nop 0
	.mmb
	mov r65 = r0
	addl r64 = 16, r0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC22)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	addl r63 = 4, r0
	nop 0
	br.call.sptk.many b0 = read_cpuid#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC15)
	.mmi
	nop 0
	mov r35 = r8
	nop 0
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	mov r65 = r0
	nop 0
	addl r64 = 16, r0
	.mmb
	mov r63 = r35
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = 0, r50
	(p6) br.cond.dpnt .L64
.L132:
	.mlx
	nop 0
	movl r50 = @gprel(itc_hz#)
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	;;
	.mib
	add r50 = r1, r50
	add r63 = r1, r63
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r14 = 16, r12
	movl r63 = @gprel(.LC26)
	.mmi
	st8 [r36] = r0
	st4 [r34] = r0
	nop 0
	;;
	.mmi
	st8 [r14] = r0
	addl r14 = 65536, r0
	add r63 = r1, r63
	;;
	.mib
	st8 [r38] = r14
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	ld8 r14 = [r42]
	movl r44 = @gprel(map_buffer#)
	.mmi
	mov r68 = r34
	adds r67 = 16, r12
	mov r66 = r36
	;;
	.mmi
	add r44 = r1, r44
	adds r14 = 56, r14
	mov r64 = r38
	;;
	.mmi
	nop 0
	mov r65 = r44
	nop 0
	.mmb
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	mov r45 = r8
	cmp.ne p6, p7 = 0, r8
	(p6) br.cond.dpnt .L67
.L148:
	.mlx
	ld8 r14 = [r38]
	movl r41 = @gprel(.LC28)
	.mlx
	mov r34 = r44
	movl r47 = @gprel(.LC29)
	;;
	.mlx
	nop 0
	movl r46 = @gprel(.LC10)
	.mlx
	add r14 = r44, r14
	movl r48 = @gprel(kNames.1#)
	;;
	.mmi
	add r41 = r1, r41
	add r47 = r1, r47
	add r46 = r1, r46
	.mmb
	add r48 = r1, r48
	cmp.gtu p6, p7 = r14, r44
	(p7) br.cond.dpnt .L69
	;;
	.align 32
.L68:
	.mmi
	adds r15 = 8, r34
	nop 0
	adds r14 = 24, r34
	.mii
	ld4 r37 = [r34]
	mov r63 = r41
	;;
	nop 0
	.mmb
	ld8 r35 = [r15]
	ld8 r39 = [r14]
	br.call.sptk.many b0 = put#
	;;
	.mmi
	addl r65 = 12, r0
	addl r64 = 16, r0
	nop 0
	.mmb
	mov r63 = r35
	adds r35 = -1, r35
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	mov r63 = r47
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	shl r63 = r39, 12
	addl r65 = 12, r0
	.mmb
	nop 0
	addl r64 = 16, r0
	nop 0
	;;
	.mib
	add r63 = r63, r35
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	mov r63 = r41
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	mov r65 = r0
	nop 0
	addl r64 = 10, r0
	.mmb
	addp4 r63 = r37, r0
	cmp4.ltu p6, p7 = 13, r37
	(p6) br.cond.dptk .L71
	;;
	.mmi
	shladd r14 = r63, 2, r0
	;;
	add r63 = r14, r63
	nop 0
	;;
	.mmi
	nop 0
	shladd r63 = r63, 2, r0
	nop 0
	;;
	.mib
	add r63 = r48, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	mov r63 = r46
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r16 = 16, r12
	ld8 r14 = [r38]
	cmp4.eq p6, p7 = 7, r37
	;;
	.mmi
	ld8 r15 = [r16]
	add r14 = r44, r14
	(p6) add r45 = r45, r39
	;;
	.mmi
	nop 0
	add r34 = r34, r15
	nop 0
	;;
	.mib
	nop 0
	cmp.gtu p6, p7 = r14, r34
	(p6) br.cond.dptk .L68
.L145:
	.mii
	nop 0
	shr.u r45 = r45, 8
	nop 0
.L69:
	.mlx
	nop 0
	movl r63 = @gprel(.LC30)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	mov r63 = r45
	nop 0
	mov r65 = r0
	.mmb
	addl r64 = 10, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC31)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r17 = 16, r12
	movl r14 = 1284199179690597153
	.mlx
	nop 0
	movl r63 = @gprel(.LC32)
	;;
	.mlx
	st8 [r17] = r14
	movl r14 = 4283602510276475278
	.mlx
	add r63 = r1, r63
	movl r39 = @gprel(handles.0#)
	;;
	.mlx
	st8 [r49] = r14
	movl r41 = @gprel(first_disk#)
	.mmi
	addl r14 = 512, r0
	nop 0
	add r39 = r1, r39
	;;
	.mib
	st8 [r38] = r14
	add r41 = r1, r41
	br.call.sptk.many b0 = put#
	;;
	.mlx
	ld8 r14 = [r42]
	movl r46 = @gprel(.LC28)
	.mlx
	mov r68 = r39
	movl r47 = @gprel(.LC34)
	;;
	.mlx
	adds r14 = 176, r14
	movl r48 = @gprel(.LC35)
	.mmi
	mov r67 = r38
	mov r66 = r0
	adds r65 = 16, r12
	;;
	.mmi
	add r46 = r1, r46
	addl r64 = 2, r0
	add r47 = r1, r47
	.mmb
	ld8 r63 = [r14]
	add r48 = r1, r48
	br.call.sptk.many b0 = efi_call#
	;;
	.mlx
	nop 0
	movl r49 = @gprel(.LC31)
	.mmb
	mov r34 = r8
	cmp.ne p6, p7 = 0, r8
	(p6) br.cond.dpnt .L75
	;;
	.mmi
	add r49 = r1, r49
	nop 0
	nop 0
.L149:
	.mmi
	ld8 r14 = [r38]
	;;
	nop 0
	shr.u r14 = r14, 3
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = 0, r14
	(p7) br.cond.dpnt .L77
	.align 32
.L79:
	.mmi
	ld8 r14 = [r42]
	st8 [r36] = r0
	mov r66 = r36
	.mmi
	adds r65 = 16, r12
	ld8 r64 = [r39], 8
	nop 0
	;;
	.mmi
	nop 0
	adds r14 = 152, r14
	nop 0
	;;
	.mib
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	mov r63 = r46
	cmp.eq p6, p7 = 0, r8
	(p7) br.cond.dptk .L82
	.mmi
	ld8 r14 = [r36]
	;;
	adds r14 = 8, r14
	nop 0
	;;
	.mmi
	nop 0
	ld8 r35 = [r14]
	nop 0
	;;
	.mmi
	adds r14 = 24, r35
	adds r45 = 6, r35
	adds r44 = 12, r35
	;;
	.mib
	ld8 r37 = [r14]
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mii
	ld1 r14 = [r45]
	adds r37 = 1, r37
	;;
	cmp4.eq p6, p7 = 0, r14
	;;
	.mlx
	nop 0
	(p7) movl r63 = @gprel(.LC0)
	;;
	.mlx
	nop 0
	(p6) movl r63 = @gprel(.LC1)
	;;
	.mmi
	nop 0
	(p7) add r63 = r1, r63
	nop 0
	;;
	.mib
	(p6) add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	addl r65 = 10, r0
	nop 0
	addl r64 = 10, r0
	.mmb
	mov r63 = r37
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	mov r63 = r47
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	mov r65 = r0
	nop 0
	addl r64 = 10, r0
	.mmb
	ld4 r63 = [r44]
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	mov r63 = r48
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld4 r63 = [r44]
	setf.sig f7 = r37
	mov r65 = r0
	.mmi
	addl r64 = 10, r0
	;;
	setf.sig f6 = r63
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	xmpy.l f6 = f6, f7
	;;
	.mmi
	nop 0
	getf.sig r63 = f6
	nop 0
	;;
	.mib
	nop 0
	shr.u r63 = r63, 20
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	mov r63 = r49
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	nop 0
	ld8 r14 = [r41]
	nop 0
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = 0, r14
	(p6) br.cond.dptk .L82
	.mmi
	ld1 r14 = [r45]
	nop 0
	adds r35 = 5, r35
	;;
	.mib
	nop 0
	cmp4.ne p6, p7 = 0, r14
	(p6) br.cond.dptk .L82
	.mmi
	ld1 r14 = [r35]
	;;
	cmp4.eq p6, p7 = 0, r14
	nop 0
	;;
	.mmi
	nop 0
	(p7) ld8 r14 = [r36]
	nop 0
	;;
	.mmi
	(p7) st8 [r41] = r14
	nop 0
	nop 0
	.align 32
.L82:
	.mii
	ld8 r14 = [r38]
	adds r34 = 1, r34
	;;
	shr.u r14 = r14, 3
	;;
	.mib
	nop 0
	cmp.gtu p6, p7 = r14, r34
	(p6) br.cond.dptk .L79
.L77:
	.mlx
	nop 0
	movl r35 = 4000000
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = read_itc#
	;;
	.mlx
	nop 0
	movl r14 = 3999999
	.mlx
	mov r37 = r8
	movl r34 = 88172645463325252
	;;
	.mii
	nop 0
	mov ar.lc = r14
	nop 0
	.align 32
.L83:
	.mii
	nop 0
	shl r14 = r34, 13
	adds r35 = -1, r35
	;;
	.mii
	xor r14 = r34, r14
	nop 0
	;;
	shr.u r15 = r14, 7
	;;
	.mmi
	xor r14 = r15, r14
	;;
	nop 0
	shl r34 = r14, 17
	;;
	.mib
	nop 0
	xor r34 = r34, r14
	br.cloop.sptk.few .L83
	.mib
	nop 0
	nop 0
	br.call.sptk.many b0 = read_itc#
	;;
	.mlx
	nop 0
	movl r14 = @gprel(sink#)
	.mlx
	sub r37 = r8, r37
	movl r63 = @gprel(.LC36)
	;;
	.mmi
	add r14 = r1, r14
	nop 0
	add r63 = r1, r63
	;;
	.mib
	st8.rel [r14] = r34
	mov r34 = r0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	nop 0
	ld8 r15 = [r50]
	cmp.ne p6, p7 = 0, r37
	.mlx
	nop 0
	movl r63 = @gprel(.LC38)
	;;
	.mmi
	(p6) addl r14 = 1, r0
	nop 0
	add r63 = r1, r63
	;;
	.mii
	(p7) mov r14 = r0
	cmp.ne p6, p7 = 0, r15
	;;
	(p6) addl r16 = 1, r0
	;;
	.mmi
	(p7) mov r16 = r0
	;;
	and r14 = r16, r14
	nop 0
	;;
	.mib
	cmp4.eq p6, p7 = 0, r14
	nop 0
	(p7) br.cond.dpnt .L140
	;;
	.mib
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	ld8 r14 = [r41]
	movl r44 = @gprel(disk_buffer#)
	;;
	.mmi
	nop 0
	add r44 = r1, r44
	adds r15 = 8, r14
	.mmb
	nop 0
	cmp.eq p6, p7 = 0, r14
	(p7) br.cond.dpnt .L141
.L86:
	.mlx
	nop 0
	movl r63 = @gprel(.LC43)
	.mmi
	nop 0
	adds r34 = 82, r12
	nop 0
	;;
	.mib
	nop 0
	add r63 = r1, r63
	br.call.sptk.many b0 = put#
	.align 32
.L93:
	.mmi
	ld8 r15 = [r40]
	adds r66 = 16, r12
	mov r65 = r36
	.mmi
	addl r64 = 1, r0
	ld8 r14 = [r42]
	nop 0
	;;
	.mmi
	adds r15 = 16, r15
	nop 0
	adds r14 = 96, r14
	;;
	.mmi
	ld8 r15 = [r15]
	ld8.a r63 = [r14]
	nop 0
	;;
	.mmi
	nop 0
	st8 [r36] = r15
	nop 0
	;;
	.mib
	ld8.c.clr r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mii
	ld8 r64 = [r40]
	adds r65 = 80, r12
	;;
	adds r14 = 8, r64
	;;
	.mib
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	cmp.eq p6, p7 = 0, r8
	nop 0
	(p7) br.cond.dpnt .L93
	;;
	.mmi
	nop 0
	ld2 r15 = [r34]
	nop 0
	;;
	.mib
	cmp4.ne p6, p7 = 112, r15
	mov r14 = r15
	(p7) br.cond.dpnt .L142
	;;
	.mib
	nop 0
	cmp4.ne p6, p7 = 114, r14
	(p7) br.cond.dpnt .L143
	;;
.L95:
	.mib
	nop 0
	cmp4.ne p6, p7 = 120, r14
	(p6) br.cond.dptk .L93
.L144:
	.mmi
	mov r8 = r0
	adds r18 = 120, r12
	mov b0 = r60
	;;
	.mmi
	ld8 r19 = [r18], 8
	nop 0
	mov ar.pfs = r61
	;;
	.mmi
	nop 0
	ldf.fill f2 = [r18]
	mov ar.lc = r19
	.mmb
	nop 0
	adds r12 = 128, r12
	br.ret.sptk.many b0
	;;
.L139:
	.mlx
	nop 0
	movl r63 = @gprel(.LC13)
	.mmi
	adds r39 = 32, r34
	adds r37 = 18, r12
	adds r36 = 20, r12
	;;
	.mib
	nop 0
	add r63 = r1, r63
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	mov ar.lc = 31
	nop 0
	.align 32
.L51:
	.mmi
	ld1 r14 = [r39], 1
	nop 0
	adds r65 = 16, r12
	.mmi
	st2 [r36] = r0
	st2 [r37] = r0
	nop 0
	;;
	.mii
	nop 0
	sxt1 r14 = r14
	nop 0
	.mmi
	ld8 r64 = [r35]
	nop 0
	nop 0
	;;
	.mii
	adds r15 = -32, r14
	adds r16 = 8, r64
	;;
	zxt1 r15 = r15
	.mmi
	ld8 r63 = [r16]
	;;
	cmp4.geu p6, p7 = 94, r15
	nop 0
	;;
	.mmi
	nop 0
	(p7) addl r14 = 46, r0
	nop 0
	;;
	.mib
	st2 [r65] = r14
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	nop 0
	nop 0
	br.cloop.sptk.few .L51
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r15 = 10, r34
	movl r17 = @gprel(kSizes.2#)
	.mmi
	adds r34 = 96, r34
	;;
	ld2 r15 = [r15]
	add r17 = r1, r17
	;;
	.mmi
	nop 0
	cmp.eq p6, p7 = 0, r15
	adds r15 = -1, r15
	.mmb
	nop 0
	nop 0
	(p6) br.cond.dpnt .L54
	;;
	.mii
	nop 0
	mov ar.lc = r15
	nop 0
	.align 32
.L55:
	.mii
	ld1 r15 = [r34]
	adds r16 = 8, r34
	;;
	cmp4.ne p6, p7 = 0, r15
	;;
	.mib
	(p7) ld8 r50 = [r16]
	nop 0
	(p7) br.cond.dptk .L53
	.mib
	nop 0
	cmp4.ltu p6, p7 = 5, r15
	(p6) br.cond.dpnt .L54
.L53:
	.mmi
	add r15 = r17, r15
	;;
	ld1 r15 = [r15]
	nop 0
	;;
	.mib
	nop 0
	add r34 = r34, r15
	br.cloop.sptk.few .L55
	.mmi
	adds r41 = 1, r41
	nop 0
	adds r38 = 24, r38
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = r41, r45
	(p6) br.cond.dptk .L61
	.mib
	nop 0
	nop 0
	br .L36
.L143:
	.mmi
	ld8 r14 = [r43]
	mov r67 = r0
	mov r66 = r0
	.mii
	mov r65 = r0
	mov r64 = r0
	;;
	adds r14 = 104, r14
	;;
	.mib
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mmi
	nop 0
	ld2 r14 = [r34]
	nop 0
	;;
	.mib
	nop 0
	cmp4.ne p6, p7 = 120, r14
	(p6) br.cond.dptk .L93
	.mib
	nop 0
	nop 0
	br .L144
.L142:
	.mmi
	ld8 r14 = [r43]
	mov r67 = r0
	mov r66 = r0
	.mii
	mov r65 = r0
	addl r64 = 2, r0
	;;
	adds r14 = 104, r14
	;;
	.mib
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mmi
	nop 0
	ld2 r14 = [r34]
	nop 0
	;;
	.mib
	nop 0
	cmp4.ne p6, p7 = 114, r14
	(p6) br.cond.dptk .L95
	.mib
	nop 0
	nop 0
	br .L143
.L71:
	.mib
	nop 0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mib
	mov r63 = r46
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r16 = 16, r12
	ld8 r14 = [r38]
	nop 0
	;;
	.mii
	ld8 r15 = [r16]
	add r14 = r44, r14
	;;
	add r34 = r34, r15
	;;
	.mib
	nop 0
	cmp.gtu p6, p7 = r14, r34
	(p6) br.cond.dptk .L68
	.mib
	nop 0
	nop 0
	br .L145
	;;
.L138:
	.mib
	cmp.eq p6, p7 = r55, r15
	nop 0
	(p7) br.cond.dpnt .L146
	;;
	.mmi
	nop 0
	ld8 r14 = [r38]
	nop 0
	;;
	.mib
	nop 0
	cmp.eq p6, p7 = r54, r14
	(p7) br.cond.dptk .L38
	.mlx
	nop 0
	movl r63 = @gprel(.LC14)
	.mmi
	adds r41 = 1, r41
	nop 0
	adds r38 = 24, r38
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC15)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	mov r63 = r34
	nop 0
	mov r65 = r0
	.mmb
	addl r64 = 16, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = r41, r45
	(p6) br.cond.dptk .L61
	.mib
	nop 0
	nop 0
	br .L36
.L137:
	.mmi
	nop 0
	ld8 r14 = [r38]
	nop 0
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = r56, r14
	(p6) br.cond.dptk .L38
	.mmi
	adds r34 = 24, r34
	nop 0
	mov r63 = r59
	;;
	.mib
	ld8 r44 = [r34]
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r46 = 4, r44
	nop 0
	adds r39 = 36, r44
	;;
	.mmi
	ld4 r14 = [r46]
	;;
	add r14 = r14, r44
	nop 0
	;;
	.mib
	cmp.gtu p6, p7 = r14, r39
	nop 0
	(p7) br.cond.dpnt .L131
	;;
	.mlx
	nop 0
	(p6) movl r48 = @gprel(.LC8)
	.mii
	(p6) adds r37 = 18, r12
	(p6) adds r36 = 20, r12
	;;
	(p6) add r48 = r1, r48
	;;
	.mib
	mov r63 = r48
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	nop 0
	ld8 r34 = [r39]
	mov ar.lc = 3
	;;
	.align 32
.L44:
	.mmi
	ld1 r14 = [r34], 1
	nop 0
	adds r65 = 16, r12
	.mmi
	st2 [r36] = r0
	st2 [r37] = r0
	nop 0
	;;
	.mii
	nop 0
	sxt1 r14 = r14
	nop 0
	.mmi
	ld8 r64 = [r35]
	nop 0
	nop 0
	;;
	.mii
	adds r15 = -32, r14
	adds r16 = 8, r64
	;;
	zxt1 r15 = r15
	.mmi
	ld8 r63 = [r16]
	;;
	cmp4.geu p6, p7 = 94, r15
	nop 0
	;;
	.mmi
	nop 0
	(p7) addl r14 = 46, r0
	nop 0
	;;
	.mib
	st2 [r65] = r14
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	nop 0
	nop 0
	br.cloop.sptk.few .L44
	.mmi
	ld4 r14 = [r46]
	adds r39 = 8, r39
	mov r63 = r48
	;;
	.mmi
	nop 0
	add r14 = r14, r44
	nop 0
	;;
	.mib
	cmp.gtu p6, p7 = r14, r39
	nop 0
	(p7) br.cond.dpnt .L131
	;;
	.mib
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	ld8 r34 = [r39]
	mov ar.lc = 3
	br .L44
.L146:
	.mib
	cmp.eq p6, p7 = r57, r15
	nop 0
	(p7) br.cond.spnt .L38
	;;
	.mmi
	nop 0
	ld8 r14 = [r38]
	nop 0
	;;
	.mib
	nop 0
	cmp.eq p6, p7 = r58, r14
	(p7) br.cond.dptk .L38
	.mlx
	nop 0
	movl r63 = @gprel(.LC17)
	.mmi
	mov r39 = r34
	adds r37 = 18, r12
	adds r36 = 20, r12
	;;
	.mib
	nop 0
	add r63 = r1, r63
	br.call.sptk.many b0 = put#
	;;
	.mii
	nop 0
	mov ar.lc = 3
	nop 0
	.align 32
.L60:
	.mmi
	ld1 r14 = [r39], 1
	nop 0
	adds r65 = 16, r12
	.mmi
	st2 [r36] = r0
	st2 [r37] = r0
	nop 0
	;;
	.mii
	nop 0
	sxt1 r14 = r14
	nop 0
	.mmi
	ld8 r64 = [r35]
	nop 0
	nop 0
	;;
	.mii
	adds r15 = -32, r14
	adds r16 = 8, r64
	;;
	zxt1 r15 = r15
	.mmi
	ld8 r63 = [r16]
	;;
	cmp4.geu p6, p7 = 94, r15
	nop 0
	;;
	.mmi
	nop 0
	(p7) addl r14 = 46, r0
	nop 0
	;;
	.mib
	st2 [r65] = r14
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	nop 0
	nop 0
	br.cloop.sptk.few .L60
	.mlx
	nop 0
	movl r63 = @gprel(.LC18)
	.mmi
	adds r34 = 8, r34
	adds r41 = 1, r41
	adds r38 = 24, r38
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld1 r63 = [r34]
	nop 0
	mov r65 = r0
	.mmb
	addl r64 = 10, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = r41, r45
	(p6) br.cond.dptk .L61
	.mib
	nop 0
	nop 0
	br .L36
.L141:
	.mmi
	ld8 r39 = [r15]
	nop 0
	addl r14 = 1048576, r0
	;;
	.mmi
	setf.sig f8 = r14
	adds r14 = 12, r39
	adds r15 = 24, r39
	;;
	.mmi
	ld4 r14 = [r14]
	ld8 r38 = [r15]
	nop 0
	;;
	.mmi
	setf.sig f6 = r14
	cmp.eq p6, p7 = 0, r14
	adds r38 = 1, r38
	;;
	.mmi
	nop 0
	(p6) break 1
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f8 = f8
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f10 = f6
	;;
	.mmf
	nop 0
	nop 0
	frcpa.s1 f6, p6 = f8, f10
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f7 = f10, f6, f1
	nop 0
	.mfi
	nop 0
	(p6) fmpy.s1 f9 = f8, f6
	nop 0
	;;
	.mfi
	nop 0
	(p6) fmpy.s1 f11 = f7, f7
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f9 = f9, f7, f9
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f7 = f6, f7, f6
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f11, f9, f9
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f7 = f7, f11, f7
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f8 = f10, f9, f8
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f6 = f8, f7, f9
	;;
	.mmf
	nop 0
	nop 0
	fcvt.fxu.trunc.s1 f6 = f6
	;;
	.mib
	getf.sig r37 = f6
	nop 0
	br.call.sptk.many b0 = read_itc#
	;;
	.mii
	sub r14 = 31, r35
	mov r46 = r8
	;;
	mov ar.lc = r14
	;;
	.mib
	shladd r45 = r37, 1, r0
	cmp.gtu p6, p7 = r37, r38
	(p6) br.cond.dpnt .L87
	;;
	.align 32
.L90:
	.mmi
	ld8 r64 = [r41]
	mov r66 = r34
	mov r68 = r44
	.mmi
	add r34 = r34, r45
	ld4 r65 = [r39]
	addl r67 = 1048576, r0
	;;
	.mmi
	nop 0
	adds r14 = 24, r64
	nop 0
	;;
	.mib
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	cmp.ne p6, p7 = 0, r8
	nop 0
	(p6) br.cond.dpnt .L88
	;;
	.mmi
	adds r35 = 1, r35
	cmp.gtu p6, p7 = r34, r38
	sub r34 = r34, r37
	.bbb
	nop 0
	(p6) br.cond.dpnt .L101
	br.cloop.sptk.few .L90
.L101:
	.mmi
	addl r37 = 1, r0
	nop 0
	nop 0
.L89:
	.mib
	nop 0
	nop 0
	br.call.sptk.many b0 = read_itc#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC39)
	.mmi
	nop 0
	sub r46 = r8, r46
	nop 0
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	cmp.ne p6, p7 = 0, r46
	;;
	(p6) addl r14 = 1, r0
	nop 0
	;;
	.mmi
	(p7) mov r14 = r0
	;;
	and r14 = r37, r14
	nop 0
	;;
	.mib
	cmp4.eq p6, p7 = 0, r14
	nop 0
	(p6) br.cond.dpnt .L91
	;;
	.mmi
	nop 0
	ld8 r14 = [r50]
	nop 0
	;;
	.mib
	nop 0
	cmp.eq p6, p7 = 0, r14
	(p7) br.cond.dpnt .L147
.L91:
	.mlx
	nop 0
	movl r63 = @gprel(.LC42)
	;;
	.mib
	nop 0
	add r63 = r1, r63
	br.call.sptk.many b0 = put#
	;;
.L150:
	.mlx
	nop 0
	movl r63 = @gprel(.LC43)
	.mmi
	nop 0
	adds r34 = 82, r12
	nop 0
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	nop 0
	nop 0
	br .L93
.L64:
	.mmi
	addl r64 = 13, r0
	nop 0
	mov r63 = r50
	.mmb
	mov r65 = r36
	nop 0
	br.call.sptk.many b0 = pal_static#
	;;
	.mmi
	adds r65 = 16, r12
	nop 0
	addl r64 = 14, r0
	.mmb
	mov r63 = r50
	nop 0
	br.call.sptk.many b0 = pal_static#
	;;
	.mmi
	adds r16 = 16, r12
	ld8 r14 = [r36]
	nop 0
	;;
	.mmi
	nop 0
	ld8 r15 = [r16]
	nop 0
	;;
	.mmi
	or r15 = r15, r14
	ld8 r14 = [r44]
	nop 0
	;;
	.mib
	nop 0
	cmp.ne p6, p7 = 0, r15
	(p6) br.cond.dptk .L132
	;;
	.mmi
	nop 0
	addp4 r17 = r14, r0
	cmp4.eq p6, p7 = 0, r14
	.mmb
	nop 0
	nop 0
	(p6) br.cond.dptk .L132
	;;
	.mmi
	setf.sig f10 = r17
	nop 0
	nop 0
	;;
	.mfi
	ldf8 f7 = [r45]
	fcvt.xuf f10 = f10
	shr.u r14 = r14, 32
	.mlx
	cmp.ne p6, p7 = r0, r0
	movl r50 = @gprel(itc_hz#)
	;;
	.mmi
	setf.sig f6 = r14
	nop 0
	(p6) break 1
	.mlx
	add r50 = r1, r50
	movl r63 = @gprel(.LC23)
	;;
	.mlx
	nop 0
	movl r14 = 4835703278458516699
	.mmi
	add r63 = r1, r63
	;;
	setf.sig f2 = r14
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	xmpy.l f6 = f6, f7
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f6 = f6
	;;
	.mmf
	nop 0
	nop 0
	frcpa.s1 f7, p6 = f6, f10
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f8 = f10, f7, f1
	nop 0
	.mfi
	nop 0
	(p6) fmpy.s1 f9 = f6, f7
	nop 0
	;;
	.mfi
	nop 0
	(p6) fmpy.s1 f11 = f8, f8
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f9 = f9, f8, f9
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f7, f8, f7
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f11, f9, f9
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f8, f11, f8
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f6 = f10, f9, f6
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f7 = f6, f8, f9
	;;
	.mmf
	nop 0
	nop 0
	fcvt.fxu.trunc.s1 f7 = f7
	;;
	.mib
	stf8 [r50] = f7
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld8 r63 = [r45]
	mov r65 = r0
	addl r64 = 10, r0
	;;
	.mmi
	nop 0
	setf.sig f6 = r63
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	xmpy.hu f6 = f6, f2
	;;
	.mmi
	nop 0
	getf.sig r63 = f6
	nop 0
	;;
	.mib
	nop 0
	shr.u r63 = r63, 18
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC24)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ldf8 f7 = [r50]
	mov r65 = r0
	addl r64 = 10, r0
	;;
	.mmf
	nop 0
	nop 0
	xmpy.hu f7 = f7, f2
	;;
	.mmi
	nop 0
	getf.sig r63 = f7
	nop 0
	;;
	.mib
	nop 0
	shr.u r63 = r63, 18
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC25)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r14 = 16, r12
	movl r63 = @gprel(.LC26)
	.mmi
	st8 [r36] = r0
	st4 [r34] = r0
	nop 0
	;;
	.mmi
	st8 [r14] = r0
	addl r14 = 65536, r0
	add r63 = r1, r63
	;;
	.mib
	st8 [r38] = r14
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	ld8 r14 = [r42]
	movl r44 = @gprel(map_buffer#)
	.mmi
	mov r68 = r34
	adds r67 = 16, r12
	mov r66 = r36
	;;
	.mmi
	add r44 = r1, r44
	adds r14 = 56, r14
	mov r64 = r38
	;;
	.mmi
	nop 0
	mov r65 = r44
	nop 0
	.mmb
	ld8 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = efi_call#
	;;
	.mib
	mov r45 = r8
	cmp.ne p6, p7 = 0, r8
	(p7) br.cond.dptk .L148
.L67:
	.mlx
	nop 0
	movl r63 = @gprel(.LC27)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r17 = 16, r12
	movl r14 = 1284199179690597153
	.mlx
	nop 0
	movl r63 = @gprel(.LC32)
	;;
	.mlx
	st8 [r17] = r14
	movl r14 = 4283602510276475278
	.mlx
	add r63 = r1, r63
	movl r39 = @gprel(handles.0#)
	;;
	.mlx
	st8 [r49] = r14
	movl r41 = @gprel(first_disk#)
	.mii
	addl r14 = 512, r0
	add r39 = r1, r39
	;;
	add r41 = r1, r41
	.mmb
	st8 [r38] = r14
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	ld8 r14 = [r42]
	movl r46 = @gprel(.LC28)
	.mlx
	mov r68 = r39
	movl r47 = @gprel(.LC34)
	;;
	.mlx
	adds r14 = 176, r14
	movl r48 = @gprel(.LC35)
	.mmi
	add r46 = r1, r46
	add r47 = r1, r47
	mov r67 = r38
	;;
	.mmi
	add r48 = r1, r48
	mov r66 = r0
	adds r65 = 16, r12
	.mmb
	addl r64 = 2, r0
	ld8 r63 = [r14]
	br.call.sptk.many b0 = efi_call#
	;;
	.mlx
	nop 0
	movl r49 = @gprel(.LC31)
	.mmi
	mov r34 = r8
	nop 0
	cmp.ne p6, p7 = 0, r8
	;;
	.mib
	nop 0
	add r49 = r1, r49
	(p7) br.cond.dptk .L149
.L75:
	.mlx
	nop 0
	movl r63 = @gprel(.LC33)
	.mlx
	nop 0
	movl r41 = @gprel(first_disk#)
	;;
	.mlx
	add r63 = r1, r63
	movl r35 = 4000000
	.mmb
	add r41 = r1, r41
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r34 = 88172645463325252
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = read_itc#
	;;
	.mlx
	nop 0
	movl r14 = 3999999
	.mmi
	nop 0
	mov r37 = r8
	nop 0
	;;
	.mib
	nop 0
	mov ar.lc = r14
	br .L83
.L136:
	.mlx
	adds r37 = 18, r12
	movl r63 = @gprel(.LC6)
	.mmi
	adds r36 = 20, r12
	mov r50 = r0
	mov r41 = r0
	;;
	.mlx
	add r63 = r1, r63
	movl r47 = 1284622044757551217
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r14 = 16, r12
	nop 0
	mov r65 = r0
	.mlx
	addl r64 = 10, r0
	movl r51 = 1284420384822471986
	;;
	.mlx
	ld2 r63 = [r14]
	movl r55 = 1284420384822471985
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC7)
	.mlx
	nop 0
	movl r57 = 4823181529504125837
	;;
	.mlx
	add r63 = r1, r63
	movl r58 = -7460047324890629758
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld1 r63 = [r37]
	nop 0
	addl r65 = 2, r0
	.mmb
	addl r64 = 10, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC7)
	.mlx
	nop 0
	movl r54 = 5602828850577807002
	;;
	.mlx
	add r63 = r1, r63
	movl r56 = -9112967018440547652
	.mmb
	nop 0
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r14 = 19, r12
	addl r65 = 2, r0
	addl r64 = 10, r0
	;;
	.mib
	ld1 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC8)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	ld1 r63 = [r36]
	nop 0
	addl r65 = 2, r0
	.mmb
	addl r64 = 10, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC9)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r14 = 21, r12
	addl r65 = 2, r0
	addl r64 = 10, r0
	;;
	.mib
	ld1 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC9)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	adds r14 = 22, r12
	addl r65 = 2, r0
	addl r64 = 10, r0
	;;
	.mib
	ld1 r63 = [r14]
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC10)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC11)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	adds r14 = 104, r33
	movl r52 = @gprel(.LC16)
	.mlx
	adds r33 = 112, r33
	movl r53 = @gprel(.LC15)
	;;
	.mlx
	ld8 r45 = [r14]
	movl r49 = @gprel(.LC10)
	.mlx
	add r52 = r1, r52
	movl r59 = @gprel(.LC12)
	;;
	.mmi
	cmp.eq p6, p7 = 0, r45
	ld8 r38 = [r33]
	nop 0
	.mmi
	add r53 = r1, r53
	add r49 = r1, r49
	add r59 = r1, r59
	;;
	.mib
	(p6) mov r50 = r0
	adds r38 = 8, r38
	(p7) br.cond.dptk .L61
	.mib
	nop 0
	nop 0
	br .L36
.L140:
	.mmi
	setf.sig f7 = r37
	cmp.eq p6, p7 = 0, r37
	shl r16 = r15, 5
	.mmi
	mov r65 = r0
	addl r64 = 10, r0
	mov r34 = r0
	;;
	.mii
	sub r16 = r16, r15
	(p6) break 1
	;;
	shl r14 = r16, 6
	;;
	.mmi
	sub r14 = r14, r16
	;;
	shladd r14 = r14, 3, r0
	nop 0
	;;
	.mmf
	add r14 = r14, r15
	nop 0
	fcvt.xuf f6 = f7
	;;
	.mii
	nop 0
	shl r14 = r14, 8
	nop 0
	;;
	.mlx
	setf.sig f7 = r14
	movl r14 = 2361183241434822607
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f7 = f7
	;;
	.mmf
	nop 0
	nop 0
	frcpa.s1 f8, p6 = f7, f6
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f9 = f6, f8, f1
	nop 0
	.mfi
	nop 0
	(p6) fmpy.s1 f10 = f7, f8
	nop 0
	;;
	.mfi
	nop 0
	(p6) fmpy.s1 f11 = f9, f9
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f10 = f10, f9, f10
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f8, f9, f8
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f10 = f11, f10, f10
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f9, f11, f9
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f7 = f6, f10, f7
	nop 0
	.mmi
	setf.sig f6 = r14
	nop 0
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f7, f9, f10
	;;
	.mmf
	nop 0
	nop 0
	fcvt.fxu.trunc.s1 f8 = f8
	;;
	.mmi
	getf.sig r63 = f8
	;;
	nop 0
	shr.u r63 = r63, 3
	;;
	.mmi
	nop 0
	setf.sig f8 = r63
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	xmpy.hu f8 = f8, f6
	;;
	.mmi
	nop 0
	getf.sig r63 = f8
	nop 0
	;;
	.mib
	nop 0
	shr.u r63 = r63, 4
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC37)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	ld8 r14 = [r41]
	movl r44 = @gprel(disk_buffer#)
	;;
	.mmi
	nop 0
	add r44 = r1, r44
	adds r15 = 8, r14
	.mmb
	nop 0
	cmp.eq p6, p7 = 0, r14
	(p6) br.cond.dptk .L86
	.mib
	nop 0
	nop 0
	br .L141
	;;
.L147:
	.mmi
	setf.sig f6 = r14
	setf.sig f8 = r35
	cmp.eq p6, p7 = 0, r46
	.mmi
	mov r65 = r0
	addl r64 = 10, r0
	adds r34 = 82, r12
	;;
	.mmi
	nop 0
	(p6) break 1
	nop 0
	;;
	.mfi
	nop 0
	xmpy.l f7 = f8, f6
	nop 0
	.mmi
	setf.sig f8 = r46
	nop 0
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f7 = f7
	;;
	.mmf
	nop 0
	nop 0
	fcvt.xuf f6 = f8
	;;
	.mmf
	nop 0
	nop 0
	frcpa.s1 f8, p6 = f7, f6
	;;
	.mfi
	nop 0
	(p6) fnma.s1 f9 = f6, f8, f1
	nop 0
	.mfi
	nop 0
	(p6) fmpy.s1 f10 = f7, f8
	nop 0
	;;
	.mfi
	nop 0
	(p6) fmpy.s1 f11 = f9, f9
	nop 0
	.mfi
	nop 0
	(p6) fma.s1 f10 = f10, f9, f10
	nop 0
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f8, f9, f8
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f10 = f11, f10, f10
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f9 = f9, f11, f9
	;;
	.mmf
	nop 0
	nop 0
	(p6) fnma.s1 f7 = f6, f10, f7
	;;
	.mmf
	nop 0
	nop 0
	(p6) fma.s1 f8 = f7, f9, f10
	;;
	.mmf
	nop 0
	nop 0
	fcvt.fxu.trunc.s1 f8 = f8
	;;
	.mib
	getf.sig r63 = f8
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC40)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mmi
	mov r63 = r35
	nop 0
	mov r65 = r0
	.mmb
	addl r64 = 10, r0
	nop 0
	br.call.sptk.many b0 = put_number#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC41)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC43)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	nop 0
	nop 0
	br .L93
.L88:
	.mmi
	cmp.ne p6, p7 = 0, r35
	;;
	(p6) addl r37 = 1, r0
	nop 0
	;;
	.mib
	nop 0
	(p7) mov r37 = r0
	br .L89
.L87:
	.mib
	nop 0
	nop 0
	br.call.sptk.many b0 = read_itc#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC39)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mlx
	nop 0
	movl r63 = @gprel(.LC42)
	;;
	.mib
	add r63 = r1, r63
	nop 0
	br.call.sptk.many b0 = put#
	;;
	.mib
	nop 0
	nop 0
	br .L150
	.endp demo_main#
	.bss
	.align 8
	.type	handles.0#, @object
	.size	handles.0#, 512
handles.0:
	.skip	512
	.section	.rodata
	.type	kNames.1#, @object
	.size	kNames.1#, 280
kNames.1:
	stringz	"reserved"
	.skip	11
	stringz	"loader code"
	.skip	8
	stringz	"loader data"
	.skip	8
	stringz	"boot code"
	.skip	10
	stringz	"boot data"
	.skip	10
	stringz	"runtime code"
	.skip	7
	stringz	"runtime data"
	.skip	7
	stringz	"free"
	.skip	15
	stringz	"unusable"
	.skip	11
	stringz	"ACPI reclaim"
	.skip	7
	stringz	"ACPI NVS"
	.skip	11
	stringz	"device"
	.skip	13
	stringz	"I/O port space"
	.skip	5
	stringz	"PAL code"
	.skip	11
	.align 8
	.type	kSizes.2#, @object
	.size	kSizes.2#, 6
kSizes.2:
	string	"0 \020 \020\020"
	.bss
	.align 8
	.type	disk_buffer#, @object
	.size	disk_buffer#, 1048576
disk_buffer:
	.skip	1048576
	.align 8
	.type	sink#, @object
	.size	sink#, 8
sink:
	.skip	8
	.align 8
	.type	first_disk#, @object
	.size	first_disk#, 8
first_disk:
	.skip	8
	.align 8
	.type	map_buffer#, @object
	.size	map_buffer#, 65536
map_buffer:
	.skip	65536
	.align 8
	.type	itc_hz#, @object
	.size	itc_hz#, 8
itc_hz:
	.skip	8
	.align 8
	.type	runtime#, @object
	.size	runtime#, 8
runtime:
	.skip	8
	.align 8
	.type	boot#, @object
	.size	boot#, 8
boot:
	.skip	8
	.align 8
	.type	con_in#, @object
	.size	con_in#, 8
con_in:
	.skip	8
	.align 8
	.type	con_out#, @object
	.size	con_out#, 8
con_out:
	.skip	8
