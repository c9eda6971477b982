import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { checkpointText } from '../../src/core/checkpoint.ts'
import { exportTrail, type KeptLeaf } from '../../src/core/export-trail.ts'
import { leafHash, rootOf } from '../../src/core/merkle.ts'
import { signNote } from '../../src/core/signed-note.ts'
import { verifierKeyOf } from '../../src/core/verifier-key.ts'

/** A log of the test: its leaves, and how its head is signed. */
export type Log = {
  origin: string
  leaves: KeptLeaf[]
  /** Sizes at which a checkpoint was signed, ascending; the last is the newest. */
  signedSizes: number[]
  signer: Signer
}

/** Signs as one key. */
export type Signer = { verifierKey: string; noteOf: (text: string) => string }

/** An Ed25519 signer whose seed is one byte over and over. */
export function signerOf(seedByte: number): Signer {
  const seed = Buffer.alloc(32, seedByte)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = spki.subarray(-32)
  const name = 'gyeol.example/trail'
  return {
    verifierKey: verifierKeyOf(name, publicKey),
    noteOf: (text) => signNote(text, name, (bytes) => sign(null, bytes, key), publicKey),
  }
}

/** A log of `size` leaves with a checkpoint every hundred and at the end. */
export function logOf(size: number): Log {
  const leaves = Array.from({ length: size }, (_, number) => leafOf(number, `deed ${number}`))
  const hundreds = Array.from({ length: Math.floor(size / 100) }, (_, i) => (i + 1) * 100)
  const signedSizes = [...new Set([...hundreds, size])]
  return { origin: 'gyeol.example/trail', leaves, signedSizes, signer: signerOf(5) }
}

/** A leaf whose hash fits its entry. */
export function leafOf(number: number, action: string): KeptLeaf {
  const entry = Buffer.from(JSON.stringify({ action, note: 'as "kept" \\ 결' }))
  return { number, entry, leafHash: leafHash(entry) }
}

/** The signed checkpoint of the first `size` leaves. */
export function checkpointOf(log: Log, size: number): string {
  const root = rootOf(log.leaves.slice(0, size).map((leaf) => leaf.leafHash))
  return log.signer.noteOf(checkpointText({ origin: log.origin, size, root }))
}

/**
 * The lines of an export of the log as it was signed, of which `kept` (by default the same) is what
 * the database now holds.
 */
export async function linesOf(
  log: Log,
  range: { from: number; to: number },
  kept: readonly KeptLeaf[] = log.leaves,
): Promise<string[]> {
  const signed = log.signedSizes.map((size) => ({ size, note: checkpointOf(log, size) }))
  const newest = signed.at(-1)
  if (newest === undefined) throw new Error('a log of the tests has a checkpoint')
  const lines: string[] = []
  const source = {
    origin: log.origin,
    verifierKeys: [log.signer.verifierKey],
    hashesOf: (start: number, end: number) =>
      log.leaves.slice(start, end).map((leaf) => leaf.leafHash),
    leavesOf: async (start: number, end: number) =>
      kept.filter(({ number }) => number >= start && number < end),
    checkpointsOf: async (start: number, end: number) =>
      signed.filter(({ size }) => size > start && size <= end),
    newest,
  }
  for await (const line of exportTrail(source, range)) lines.push(line)
  return lines
}
