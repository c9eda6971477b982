/**
 * What every process of the service is made of: its database role, its keyring, the vault and the
 * doorbell.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Deps } from '../actions/deps.ts'
import { introduceKeyring } from '../actions/introduce-keyring.ts'
import { Refusal } from '../core/errors.ts'
import type { KeyringSide } from '../keys/key-purposes.ts'
import type { Keyring } from '../keys/keyring.ts'
import { openKeyring } from '../keys/open-keyring.ts'
import { type DoorbellConfig, openDoorbell } from '../queue/doorbell.ts'
import { newestKeyringRevision } from '../store/keyring-revisions.ts'
import { requireSchema } from '../store/migrate.ts'
import { createPool, type Pool } from '../store/pool.ts'
import { openVault } from '../vault/vault.ts'
import { nameOf } from '../worker/run-job.ts'
import type { CommandContext } from './command.ts'
import { createLog, type Log } from './log.ts'
import { passphraseOf } from './passphrase.ts'
import { databaseUrlOf } from './role-urls.ts'

/** Database and keyring of one process, checked. */
export type ProcessBasis = { pool: Pool; keyring: Keyring; log: Log; databaseUrl: string }

const connectionsMax = { api: 20, key: 8, data: 8, sign: 2 } as const

/**
 * Opens database and keyring of a side and introduces the keyring.
 *
 * @throws {Refusal} `schema-unknown`, `keyring-refused`, `passphrase-wrong`, `not-found`.
 */
export async function openBasis(context: CommandContext, side: KeyringSide): Promise<ProcessBasis> {
  const { config } = context
  const passphrase = passphraseOf(context, side)
  const databaseUrl = databaseUrlOf(config, side)
  const pool = createPool({
    connectionString: databaseUrl,
    max: connectionsMax[side],
    name: `gyeol ${side}`,
  })
  try {
    await requireSchema(pool)
    const keyring = await openKeyring({
      path: join(config.keys, `${side}.keyring`),
      passphrase,
      demo: config.demo,
      side,
      newestRevision: await newestKeyringRevision(pool, side),
    })
    await introduceKeyring({ pool, keyring })
    const log = createLog(side, config.logLevel, context.print)
    return { pool, keyring, log, databaseUrl }
  } catch (error) {
    await pool.end()
    throw error
  } finally {
    passphrase.fill(0)
  }
}

/** Where the queue of a process is, and who is told when it fails. */
export function doorbellConfigOf(
  context: CommandContext,
  { databaseUrl, log }: ProcessBasis,
): DoorbellConfig {
  return {
    redisUrl: context.config.redisUrl,
    databaseUrl,
    onError: (error) => log.error('the queue did not answer', { error: nameOf(error) }),
  }
}

/** What the actions get. */
export async function openDeps(context: CommandContext, basis: ProcessBasis): Promise<Deps> {
  return {
    pool: basis.pool,
    keyring: basis.keyring,
    vault: await openVaultIn(context.config.home),
    doorbell: await openDoorbell(doorbellConfigOf(context, basis)),
    randomUuid: randomUUID,
  }
}

async function openVaultIn(home: string): ReturnType<typeof openVault> {
  try {
    return await openVault(join(home, 'vault'))
  } catch (error) {
    throw new Refusal(
      'option-unknown',
      'The home directory cannot be written. Set GYEOL_HOME to one that can.',
      {},
      { cause: error },
    )
  }
}
