/**
 * Passphrases come from a file or an open file descriptor, never from the environment or the
 * command line.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { KeyringSide } from '../keys/key-purposes.ts'
import type { CommandContext, Option } from './command.ts'

/** The options of every command that opens a keyring. */
export const passphraseOptions: Readonly<Record<string, Option>> = {
  'passphrase-file': {
    value: 'file',
    meaning: 'file with the passphrase of the key that is opened, mode 0600',
  },
  'passphrase-fd': { value: 'number', meaning: 'open file descriptor to read it from instead' },
}

const passphraseBytesMax = 1_024

/**
 * The passphrase of a side's keyring: from `--passphrase-fd`, `--passphrase-file`, or
 * `<keys>/<side>.passphrase`.
 *
 * @throws {Refusal} as `passphraseGiven`.
 */
export function passphraseOf(context: CommandContext, side: KeyringSide): Uint8Array {
  const usual = join(context.config.keys, `${side}.passphrase`)
  return passphraseGiven(context) ?? readSecretFile(usual)
}

/**
 * The passphrase that the options name; undefined if they name none. One newline at its end is not
 * part of it.
 *
 * @throws {Refusal} `not-found`, `keyring-refused` for a file that others may read,
 *   `option-unknown`.
 */
export function passphraseGiven({ given }: CommandContext): Uint8Array | undefined {
  const descriptor = given.whole('passphrase-fd', 0, 1_023)
  if (descriptor !== undefined) return readFrom(descriptor)
  const path = given.text('passphrase-file')
  return path === undefined ? undefined : readSecretFile(path)
}

/** A password or passphrase in a file of its own, mode 0600. */
export function readSecretFile(path: string): Uint8Array {
  const opened = openToRead(path)
  try {
    if ((fstatSync(opened).mode & 0o077) === 0) return readFrom(opened)
  } finally {
    closeSync(opened)
  }
  throw new Refusal(
    'keyring-refused',
    'Others than its owner may read the file of a passphrase or password. Set its mode to 0600 and change it.',
  )
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r')
  } catch {
    throw new Refusal(
      'not-found',
      'The file of a passphrase or password cannot be read. Name it by --passphrase-file, --passphrase-fd or --password-file.',
    )
  }
}

function readFrom(descriptor: number): Uint8Array {
  const buffer = Buffer.alloc(passphraseBytesMax + 2)
  let bytes = 0
  try {
    for (;;) {
      const read = readSync(descriptor, buffer, bytes, buffer.length - bytes, null)
      bytes += read
      if (read === 0 || bytes === buffer.length) break
    }
  } catch {
    throw new Refusal(
      'not-found',
      'The descriptor of --passphrase-fd cannot be read. Open it first.',
    )
  }
  if (buffer[bytes - 1] === 0x0a) bytes -= 1
  if (bytes > 0 && bytes <= passphraseBytesMax) return buffer.subarray(0, bytes)
  throw new Refusal('passphrase-wrong', 'A passphrase has 1 to 1,024 bytes; this is none.')
}
