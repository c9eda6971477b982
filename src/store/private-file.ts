/** Files that hold passwords: read only if nobody but their owner can. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { Refusal } from '../core/errors.ts'

/**
 * The text of such a file.
 *
 * @throws {Refusal} `keyring-refused` when others may touch it.
 * @throws what the system throws, when it is not there.
 */
export function readPrivateFile(path: string): string {
  const descriptor = openSync(path, 'r')
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0) {
      throw new Refusal(
        'keyring-refused',
        'Others than its owner may read a file of passwords of the database. Set its mode to 0600 and change them.',
      )
    }
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}
