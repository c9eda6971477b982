/**
 * The whole service inside a test: the API over TLS, a worker of each side and the signer, each under its own database role
 * and with its own keyring, on the test's database and queue. Only the processes are missing; test/cli has those.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import argon2 from 'argon2'
import type { Test } from 'tap'
import type { Deps, WorkerDeps } from '../../src/actions/deps.ts'
import { passwordHashing } from '../../src/actions/open-session.ts'
import { createSigner, type Signer } from '../../src/actions/publish-checkpoint.ts'
import { spkiSha256Of } from '../../src/core/certificate-key.ts'
import type { Role } from '../../src/core/grants.ts'
import { buildApp } from '../../src/http/app.ts'
import type { Keyring } from '../../src/keys/keyring.ts'
import { createKeyring } from '../../src/keys/open-keyring.ts'
import { argon2Least } from '../../src/keys/passphrase.ts'
import { openDoorbell } from '../../src/queue/doorbell.ts'
import { saveAccount } from '../../src/store/accounts.ts'
import { saveAgency } from '../../src/store/agencies.ts'
import { inTransaction, type Pool } from '../../src/store/pool.ts'
import { insertSealingKey } from '../../src/store/sealing-keys.ts'
import { openVault } from '../../src/vault/vault.ts'
import { startWorker } from '../../src/worker/run.ts'
import { type Answer, type ApiClient, createClient } from './api-client.ts'
import { type TestAuthority, testAuthority } from './authority.ts'
import { startTestDatabase, type TestDatabase } from './database.ts'
import { jobEnd } from './exchange.ts'
import { startTestQueue } from './queue.ts'

export type TestService = {
  url: string
  authority: TestAuthority
  database: TestDatabase
  home: string
  /** For what a test must open or destroy itself. */
  keyrings: Record<'api' | 'data' | 'sign', Keyring>
  signer: Signer
  /** Registers a person and signs in. */
  person: (name: string, roles: Role[]) => Promise<ApiClient>
  /** Registers an agency with a certificate of its own. */
  agency: (name: string) => Promise<ApiClient>
  /** Polls a job until it ends. */
  jobEnd: (client: ApiClient, job: string) => Promise<Answer>
}

const password = 'a test needs a password too'

/** Starts everything; all of it ends with the test. */
export async function startTestService(
  t: Pick<Test, 'teardown'>,
  places: { vault?: string } = {},
): Promise<TestService> {
  const home = await mkdtemp(join('/dev/shm', 'gyeol-test-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const authority = await testAuthority()
  const database = await startTestDatabase(t)
  const queue = await startTestQueue(t, database)
  const vault = await openVault(places.vault ?? join(home, 'vault'))
  const onError = (): void => {}

  const keyrings = {
    api: await keyringOf(home, 'api'),
    key: await keyringOf(home, 'key'),
    data: await keyringOf(home, 'data'),
    sign: await keyringOf(home, 'sign'),
  }
  await publishDeskKey(database.pool('gyeol_api'), keyrings.api)

  const deps: Deps = {
    pool: database.pool('gyeol_api', 8),
    vault,
    doorbell: await openDoorbell({ ...queue('gyeol_api'), onError }),
    keyring: keyrings.api,
    randomUuid: randomUUID,
  }
  const app = await buildApp(deps, { tls: authority.server, logLevel: 'error' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const workers: { stop: () => Promise<void> }[] = []
  for (const side of ['key', 'data'] as const) {
    const role = side === 'key' ? 'gyeol_key' : 'gyeol_data'
    const workerDeps: WorkerDeps = {
      ...deps,
      pool: database.pool(role, 8),
      doorbell: await openDoorbell({ ...queue(role), onError }),
      keyring: keyrings[side],
      side,
      jobMemoryMiB: 256,
      jobThreads: 2,
      releaseSigner: authority.releaseSigner,
    }
    const worker = await startWorker({
      deps: workerDeps,
      doorbell: { ...queue(role), onError },
      concurrency: 2,
      scratchRoot: join(home, `scratch-${side}`),
      log: (sentence, fields) => {
        if (sentence !== 'job done') console.error(side, sentence, JSON.stringify(fields))
      },
    })
    workers.push({
      stop: async () => {
        await worker.stop()
        await workerDeps.doorbell.close()
      },
    })
  }
  t.teardown(async () => {
    await app.close()
    for (const worker of workers) await worker.stop()
    await deps.doorbell.close()
  })

  const { port } = app.server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`
  const clientOf = (more: object): ApiClient => createClient({ url, ca: authority.ca, ...more })
  const admin = database.pool('admin', 2)
  return {
    url,
    authority,
    database,
    home,
    keyrings,
    signer: createSigner({
      pool: database.pool('gyeol_sign'),
      keyring: keyrings.sign,
      origin: 'gyeol.test/trail',
    }),
    person: async (name, roles) => {
      const passwordHash = await argon2.hash(password, passwordHashing)
      await inTransaction(admin, 'save-account', (tx) =>
        saveAccount(tx, { id: randomUUID(), name, passwordHash, roles }),
      )
      const session = await clientOf({}).post('/v1/sessions', { name, password })
      return clientOf({ token: session.body.token })
    },
    agency: async (name) => {
      const { key, cert, certificatePem } = await authority.client(name)
      await inTransaction(admin, 'save-agency', (tx) =>
        saveAgency(tx, {
          id: randomUUID(),
          name,
          title: { en: name, ko: name },
          spkiSha256: spkiSha256Of(certificatePem),
        }),
      )
      return clientOf({ key, cert })
    },
    jobEnd,
  }
}

function keyringOf(home: string, side: 'api' | 'key' | 'data' | 'sign'): Promise<Keyring> {
  return createKeyring({
    path: join(home, `${side}.keyring`),
    side,
    passphrase: randomBytes(32),
    createdBy: 'test-one',
    approvedBy: 'test-two',
    now: new Date(),
    argon2: argon2Least,
  })
}

async function publishDeskKey(pool: Pool, keyring: Keyring): Promise<void> {
  const { id } = keyring.describe({ purpose: 'sealing' })
  const publicKey = keyring.publicKey({ purpose: 'sealing' })
  await inTransaction(pool, 'publish-desk-key', (tx) =>
    insertSealingKey(tx, { id, publicKey, side: 'desk' }),
  )
}
