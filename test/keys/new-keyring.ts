/** Keyrings for tests, quickly made. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { KeyringSide } from '../../src/keys/key-purposes.ts'
import type { Keyring } from '../../src/keys/keyring.ts'
import { createKeyring, openKeyring } from '../../src/keys/open-keyring.ts'

export const passphrase = Buffer.from('a passphrase for a test')
export const now = new Date('2026-03-01T09:00:00Z')
const argon2 = { memoryKiB: 46 * 1024, passes: 1, lanes: 1 }
export const added = { createdBy: 'ana', approvedBy: 'ben', now }
export const destroyed = { destroyedBy: 'ana', approvedBy: 'ben', now }

export async function makeKeyring(
  t: Test,
  side: KeyringSide,
): Promise<{ path: string; keyring: Keyring }> {
  if (!existsSync(t.testdirName)) t.testdir()
  const path = join(t.testdirName, `${side}.keyring`)
  const people = { createdBy: 'ana', approvedBy: 'ben' }
  return { path, keyring: await createKeyring({ path, side, passphrase, argon2, now, ...people }) }
}

export const open = (path: string): Promise<Keyring> =>
  openKeyring({ path, passphrase, demo: false })
