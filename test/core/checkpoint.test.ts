import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { test } from 'tap'
import { type Checkpoint, checkpointText, openCheckpoint } from '../../src/core/checkpoint.ts'
import { Refusal, type RefusalCode } from '../../src/core/errors.ts'
import { openNote, signNote } from '../../src/core/signed-note.ts'
import { verifierKeyOf } from '../../src/core/verifier-key.ts'

// Published with golang.org/x/mod/sumdb/note (note_test.go and the package's own example), BSD-3-Clause.
const peter = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const peterTypedSeed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64')
const enoch = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const words =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peterLine =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const enochLine =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'

// The Go checksum database's key (cmd/go) and one of its checkpoints, of 2024-09-23.
const sumdb = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
const sumdbNote = `go.sum database tree
30055305
mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=

— sum.golang.org Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJJYle3EJlDCrQ+y3A8=
`

/** A key pair from its seed, as a signer of ours has it. */
function keyPair(seed: Uint8Array): {
  publicKey: Uint8Array
  signer: (b: Uint8Array) => Uint8Array
} {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { publicKey: spki.subarray(-32), signer: (bytes) => sign(null, bytes, privateKey) }
}

const ours = keyPair(Buffer.alloc(32, 5))
const ourKey = verifierKeyOf('gyeol.example/trail', ours.publicKey)

/** Our signed note of a checkpoint's text. */
function noteOf(text: string): string {
  return signNote(text, 'gyeol.example/trail', ours.signer, ours.publicKey)
}

function refusedAs(code: RefusalCode, run: () => unknown): boolean {
  try {
    run()
  } catch (error) {
    return error instanceof Refusal && error.code === code
  }
  return false
}

test('writes the note that Go writes, byte for byte', async (t) => {
  const { publicKey, signer } = keyPair(peterTypedSeed.subarray(1))
  t.equal(verifierKeyOf('PeterNeumann', publicKey), peter)
  t.equal(signNote(words, 'PeterNeumann', signer, publicKey), `${words}\n${peterLine}`)
})

test('opens notes of Go, with one signature and with several', async (t) => {
  t.same(openNote(`${words}\n${peterLine}`, [peter]), { text: words, signers: [peter] })
  const both = `${words}\n${peterLine}${enochLine}`
  t.same(openNote(both, [peter, enoch]).signers, [peter, enoch])
  t.same(openNote(both, [enoch]).signers, [enoch], 'an unknown signer is passed over')
})

test('opens a checkpoint of the Go checksum database', async (t) => {
  const checkpoint = openCheckpoint(sumdbNote, [sumdb])
  t.equal(checkpoint.origin, 'go.sum database tree')
  t.equal(checkpoint.size, 30_055_305)
  t.equal(sumdbNote.startsWith(checkpointText(checkpoint)), true, 'and writes the same text')
})

test('every changed character of a signed checkpoint is noticed', async (t) => {
  for (let i = 0; i < sumdbNote.length; i++) {
    const changed =
      sumdbNote.slice(0, i) + (sumdbNote[i] === 'A' ? 'B' : 'A') + sumdbNote.slice(i + 1)
    t.throws(() => openCheckpoint(changed, [sumdb]), Refusal, `character ${i}`)
  }
})

test('refuses what no known key signed, and what a known key did not sign so', async (t) => {
  t.ok(refusedAs('signature-wrong', () => openNote(`${words}\n${enochLine}`, [peter])))
  t.ok(refusedAs('signature-wrong', () => openNote(`${words}\n${enochLine}`, [])))
  const moved = `${words}\n${enochLine.replace('EnochRoot', 'PeterNeumann')}`
  t.ok(
    refusedAs('signature-wrong', () => openNote(moved, [peter])),
    'the key id binds too',
  )
  const changed = `${words.replace('you', 'You')}\n${peterLine}${enochLine}`
  t.ok(refusedAs('signature-wrong', () => openNote(changed, [peter, enoch])))
})

test('refuses what is no note', async (t) => {
  for (const note of [
    '',
    words,
    `${words}${peterLine}`,
    `${words}\n${peterLine}`.slice(0, -1),
    `${words}\n${peterLine}\n`,
    `${words}\n${peterLine.replace('—', '-')}`,
    `${words}\n${peterLine.replace('=', '')}`,
    `${words}\n— PeterNeumann x08g\n`,
    `${words.replace(' ', '\t')}\n${peterLine}`,
    `${words}\ud800\n\n${peterLine}`,
    `${words}\n${peterLine.repeat(100)}`,
    `${'x'.repeat(300_000)}\n\n${peterLine}`,
  ]) {
    t.ok(refusedAs('input-malformed', () => openNote(note, [peter])))
  }
})

test('refuses what is no verifier key', async (t) => {
  const note = `${words}\n${peterLine}`
  for (let start = 0; start < peter.length; start++) {
    const cut = peter.slice(start + 1)
    t.ok(refusedAs('input-malformed', () => openNote(note, [cut])))
    t.ok(refusedAs('input-malformed', () => openNote(note, [peter.slice(0, start)])))
  }
  const otherType = 'PeterNeumann+c74f20a3+AhpcAA=='
  t.ok(refusedAs('input-malformed', () => openNote(note, [otherType])))
})

test('writes and opens our checkpoints', async (t) => {
  const checkpoint: Checkpoint = {
    origin: 'gyeol.example/trail',
    size: 2 ** 40,
    root: Buffer.alloc(32, 9),
  }
  t.same(openCheckpoint(noteOf(checkpointText(checkpoint)), [ourKey]), checkpoint)
  const root = Buffer.alloc(32).toString('base64')
  t.equal(openCheckpoint(noteOf(`o\n0\n${root}\nan extension\n`), [ourKey]).size, 0)
})

test('refuses a signed text that is no checkpoint', async (t) => {
  const root = Buffer.alloc(32).toString('base64')
  for (const text of [
    '\n',
    'o\n1\n',
    `\n1\n${root}\n`,
    `o\n01\n${root}\n`,
    `o\n+1\n${root}\n`,
    `o\n1e3\n${root}\n`,
    `o\n9007199254740992\n${root}\n`,
    `o\n1\n${root.slice(4)}\n`,
    `o\n1\n${root}\n\nx\n`,
  ]) {
    t.ok(refusedAs('input-malformed', () => openCheckpoint(noteOf(text), [ourKey])))
  }
})

test('a checkpoint or a note that cannot be written is a defect', async (t) => {
  const root = new Uint8Array(32)
  t.throws(() => checkpointText({ origin: 'a\nb', size: 0, root }), RangeError)
  t.throws(() => checkpointText({ origin: '', size: 0, root }), RangeError)
  t.throws(() => checkpointText({ origin: 'a', size: -1, root }), RangeError)
  t.throws(() => checkpointText({ origin: 'a', size: 0, root: root.subarray(1) }), RangeError)
  t.throws(() => noteOf('no newline'), RangeError)
  t.throws(() => verifierKeyOf('a b', ours.publicKey), RangeError)
  t.throws(() => verifierKeyOf('a', root.subarray(1)), RangeError)
})
