/**
 * All processes of the service on one machine, each with its own database role and keyring, as in
 * production; the demo, the end-to-end tests, the crash tests and the bench stand on it too.
 */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { type KeyringSide, keyringSides } from '../keys/key-purposes.ts'
import { freePortOf, urlAt } from './address.ts'
import { Child } from './child.ts'
import { type Config, environmentOf } from './config.ts'
import { keepDatabase } from './database-keeper.ts'
import { makeMissingCertificates, makeMissingKeyrings } from './first-run.ts'
import type { Log } from './log.ts'
import { untilReady } from './readiness.ts'
import type { RoleUrls } from './role-urls.ts'

/** Who hears of it. */
export type AllRolesOptions = {
  log: Log
  /** Every line that a process writes. */
  onLine: (line: string) => void
}

/** A running service. */
export type AllRoles = {
  /** `https://127.0.0.1:8443`; a name for which the certificate is good. */
  url: string
  /** The authority to trust, PEM. */
  caPath: string
  home: string
  /** The database as each role, and as the superuser. They hold passwords. */
  databaseUrls: RoleUrls
  /** Which of the first-run things were made now. */
  made: { keyrings: number; certificates: boolean }
  /** The process ids of now; undefined for one that is being started again. */
  pids: () => Record<KeyringSide, number | undefined>
  /**
   * Rejects when the service cannot go on: a process refused, or the database is gone for good.
   * Never resolves.
   */
  failed: Promise<never>
  /** Stops the processes, then the database. Idempotent. */
  stop: () => Promise<void>
}

const readyMs = 60_000
const words = {
  api: ['serve'],
  key: ['work', '--side', 'key'],
  data: ['work', '--side', 'data'],
  sign: ['sign'],
} as const satisfies Record<KeyringSide, readonly string[]>

/**
 * Starts everything and resolves when GET /readyz answers over TLS and both workers and the signer
 * listen. If anything fails before, everything is stopped again.
 *
 * @throws {Refusal} `address-taken`, `option-unknown` for a home that cannot be written, and
 *   whatever a process refuses with.
 */
export async function startAllRoles(given: Config, options: AllRolesOptions): Promise<AllRoles> {
  const config = { ...given, port: await freePortOf(given.host, given.port) }
  requireWritableHome(config.home)
  const database = await keepDatabase(config, options.log)
  const children = new Map<KeyringSide, Child>()
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    database.expectEnd()
    await Promise.all([...children.values()].map((child) => child.stop()))
    await database.stop()
  }
  const stopOnce = (): Promise<void> => {
    stopping ??= stop()
    return stopping
  }
  try {
    const keyrings = await makeMissingKeyrings(config, new Date())
    const certificates = await makeMissingCertificates(config, new Date())
    for (const side of keyringSides) {
      children.set(
        side,
        newChild(side, { ...config, databaseUrl: database.urls[`gyeol_${side}`] }, options),
      )
    }
    const all = [...children.values()]
    const failed = Promise.race([database.failed, ...all.map((child) => child.failed)])
    failed.catch(() => {}) // Whoever cares waits for it.
    const reach = {
      url: urlAt(config),
      caPath: join(config.tls, 'ca.pem'),
    }
    await Promise.race([failed, Promise.all(all.map((child) => child.listening))])
    await Promise.race([failed, untilReady(reach.url, readFileSync(reach.caPath), readyMs)])
    return {
      ...reach,
      home: config.home,
      databaseUrls: database.urls,
      made: { keyrings, certificates },
      pids: () => pidsOf(children),
      failed,
      stop: stopOnce,
    }
  } catch (error) {
    await stopOnce()
    throw error
  }
}

/** A process gets the URL of its own role and no other. */
function newChild(side: KeyringSide, config: Config, options: AllRolesOptions): Child {
  return new Child({
    name: side,
    words: [...words[side]],
    environment: () => environmentOf(config),
    onLine: options.onLine,
    log: options.log,
  })
}

function pidsOf(
  children: ReadonlyMap<KeyringSide, Child>,
): Record<KeyringSide, number | undefined> {
  const pidOf = (side: KeyringSide): number | undefined => children.get(side)?.pid
  return { api: pidOf('api'), key: pidOf('key'), data: pidOf('data'), sign: pidOf('sign') }
}

function requireWritableHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o711 })
    accessSync(home, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Refusal(
      'option-unknown',
      'The home directory cannot be written. Set GYEOL_HOME to one that can.',
      {},
      { cause },
    )
  }
}
