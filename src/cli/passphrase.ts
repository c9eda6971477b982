/** Passphrases come from a file or an open file descriptor, never from the environment or the command line. */
import { fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { KeyringSide } from '../keys/key-purposes.ts'
import type { CommandContext, Option } from './command.ts'

/** The options of every command that opens a keyring. */
export const passphraseOptions: Readonly<Record<string, Option>> = {
  'passphrase-file': {
    value: 'file',
    meaning: 'file with the passphrase of the keyring, mode 0600',
  },
  'passphrase-fd': { value: 'number', meaning: 'open file descriptor to read it from instead' },
}

const passphraseBytesMax = 1_024

/**
 * The passphrase of a side's keyring: from `--passphrase-fd`, `--passphrase-file`, or `<keys>/<side>.passphrase`. One newline
 * at its end is not part of it.
 *
 * @throws {Refusal} `not-found`, `keyring-refused` for a file that others may read, `option-unknown`.
 */
export function passphraseOf(context: CommandContext, side: KeyringSide): Uint8Array {
  const { given, config } = context
  const descriptor = given.whole('passphrase-fd', 0, 1_023)
  if (descriptor !== undefined) return readFrom(descriptor)
  const path = given.text('passphrase-file') ?? join(config.keys, `${side}.passphrase`)
  const opened = openToRead(path)
  const { mode } = fstatSync(opened)
  if ((mode & 0o077) !== 0) {
    throw new Refusal(
      'keyring-refused',
      'Others than its owner may read the passphrase. Set its mode to 0600 and change it.',
      { side },
    )
  }
  return readFrom(opened)
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r')
  } catch {
    throw new Refusal(
      'not-found',
      'The passphrase cannot be read. Name its file with --passphrase-file, or its descriptor with --passphrase-fd.',
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
  throw new Refusal('passphrase-wrong', 'A passphrase has 12 to 1,024 bytes; this is none.')
}
