/**
 * What a witness keeps: its key, and the checkpoints it has cosigned. The memory is the whole of a witness: one that forgot
 * would cosign any history as its first. So it is made together with the key, and a key without it is refused.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Checkpoint, openCheckpoint } from '../core/checkpoint.ts'
import { witnessKeyOf, witnessNameOf } from '../core/cosignature.ts'
import { Refusal } from '../core/errors.ts'
import { type FileLock, lockFile } from '../keys/file-lock.ts'
import { syncDirectory } from '../vault/atomic-file.ts'
import { readNamedFile, readNamedJson, requireNoFile, writeNewFile } from './files.ts'
import { readSecretFile } from './passphrase.ts'

/** A witness at work, for one look. */
export type WitnessHome = {
  verifierKey: string
  /** The checkpoints it has cosigned, oldest first. */
  seen: readonly Checkpoint[]
  sign: (bytes: Uint8Array) => Uint8Array
  /** Takes a checkpoint into memory, so that it is still there after the power failed. Before it is cosigned. */
  remember: (note: string) => Promise<void>
  /** Keeps two signed notes that contradict each other. @returns where. */
  keepEvidence: (shown: string) => string
  close: () => Promise<void>
}

const notesMax = 256
const noteCharactersMax = 262_144
const memorySchema = z.strictObject({
  format: z.literal('gyeol-witness-1'),
  notes: z.array(z.string().max(noteCharactersMax)).max(notesMax),
})

const pathsIn = (directory: string) => ({
  key: join(directory, 'witness.key'),
  verifierKey: join(directory, 'witness.pub'),
  memory: join(directory, 'witness.memory'),
})

/**
 * Makes a witness of this name in a directory.
 *
 * @returns its verifier key, which the service is given.
 * @throws {Refusal} `option-unknown` for a name that cannot be, `already-exists`.
 */
export function makeWitness(directory: string, name: string): string {
  const paths = pathsIn(directory)
  for (const path of Object.values(paths)) requireNoFile(path)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const verifierKey = named(name, publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeNewFile(paths.key, String(privateKey.export({ format: 'pem', type: 'pkcs8' })), 0o600)
  writeNewFile(paths.memory, memoryText([]), 0o600)
  writeNewFile(paths.verifierKey, `${verifierKey}\n`)
  return verifierKey
}

/**
 * Opens a witness for one look; no other process has it until it is closed.
 *
 * @param logKey - `name+hash+key` of the log, under which everything it remembers was signed.
 * @throws {Refusal} `not-found` without key or memory, `keyring-refused` for a key that others may read, `input-malformed`,
 *   `signature-wrong` for a memory of another log, `state-conflict`.
 */
export async function openWitness(directory: string, logKey: string): Promise<WitnessHome> {
  const paths = pathsIn(directory)
  const privateKey = createPrivateKey(Buffer.from(readSecretFile(paths.key)))
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const name = witnessNameOf(readNamedFile(paths.verifierKey).trim())
  const lock = await lockFile(paths.memory)
  try {
    const { notes } = readNamedJson(paths.memory, memorySchema)
    return {
      verifierKey: witnessKeyOf(name, publicKey.subarray(-32)),
      seen: notes.map((note) => openCheckpoint(note, [logKey])),
      sign: (bytes) => sign(null, bytes, privateKey),
      remember: (note) => replaceMemory(directory, [...notes, note].slice(-notesMax), lock),
      keepEvidence: (shown) => keepEvidence(directory, notes.at(-1) ?? '', shown),
      close: () => lock.release(),
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function replaceMemory(directory: string, notes: string[], lock: FileLock): Promise<void> {
  const path = pathsIn(directory).memory
  const unfinished = `${path}.unfinished`
  {
    await using file = await open(unfinished, 'w', 0o600)
    await file.writeFile(memoryText(notes))
    await file.sync()
  }
  if (!(await lock.isHeld())) {
    throw new Refusal('state-conflict', 'Another process took over this witness. Run one of them.')
  }
  await rename(unfinished, path)
  await syncDirectory(directory)
}

function keepEvidence(directory: string, seen: string, shown: string): string {
  const sizes = [seen, shown].map((note) => note.split('\n')[1] ?? '')
  const path = join(directory, `two-histories-${sizes.join('-')}.txt`)
  try {
    writeNewFile(path, `${seen}\n${shown}`)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'already-exists') throw error
  }
  return path
}

function memoryText(notes: readonly string[]): string {
  return `${JSON.stringify({ format: 'gyeol-witness-1', notes })}\n`
}

function named(name: string, publicKey: Uint8Array): string {
  try {
    return witnessKeyOf(name, publicKey)
  } catch (cause) {
    const sentence = 'The name of a witness has no space and no plus: witness.example.org/one.'
    throw new Refusal('option-unknown', sentence, {}, { cause })
  }
}
