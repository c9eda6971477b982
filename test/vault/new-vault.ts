/** Vaults for tests. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openVault, type PutOptions, type Vault } from '../../src/vault/vault.ts'
import { sealingPair } from './sealing-pair.ts'

export const pair = sealingPair()

export const optionsFor = (objectId: string, plainBytesMax?: number): PutOptions => ({
  recipientPublicKey: pair.publicKey,
  keyId: pair.keyId,
  context: { project: '5a6f3bfc-6a41-4a4e-9a2e-8f1a6a3c1d11', kind: 'tokens', objectId },
  ...(plainBytesMax === undefined ? {} : { plainBytesMax }),
})

export async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

export async function setUp(
  t: Test,
): Promise<{ vault: Vault; directory: string; outside: string }> {
  const outside = t.testdir()
  const directory = join(outside, 'vault')
  return { vault: await openVault(directory), directory, outside }
}

export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}
