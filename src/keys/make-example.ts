import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keyringSides } from './key-purposes.ts'
import { createKeyring } from './open-keyring.ts'
import { argon2Least } from './passphrase.ts'

/** The passphrase of the example keyrings. It is published: what it opens protects nothing. */
const publishedPassphrase = 'worthless example passphrase'

/**
 * Makes the keyrings of `keys.example`: one a side, complete, and worthless because their
 * passphrase lies beside them. They say so inside what is authenticated, and nothing but the demo
 * opens them.
 *
 * @throws {Refusal} `already-exists`.
 */
export async function makeExampleKeyrings(directory: string, now: Date): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'passphrase'), `${publishedPassphrase}\n`)
  for (const side of keyringSides) {
    await createKeyring({
      path: join(directory, `${side}.keyring`),
      side,
      passphrase: Buffer.from(publishedPassphrase),
      createdBy: 'example-custodian-1',
      approvedBy: 'example-custodian-2',
      now,
      argon2: argon2Least,
      isExample: true,
    })
  }
}
