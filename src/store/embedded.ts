/**
 * The service's own PostgreSQL: a real server under the home directory, on a loopback port, for
 * machines where nobody has set up one. Its passwords are in `<home>/postgres.json`, readable by
 * the service's user alone.
 *
 * One service at a time runs on a home. The owner holds an advisory lock in a session that lives as
 * long as the owner, so a server whose lock is free was left by an owner that died, and is stopped
 * and started anew.
 */

import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Refusal } from '../core/errors.ts'
import { databaseName, type HomeState, openHome, rememberPort, urlsOf } from './embedded-home.ts'
import { portOf } from './loopback-port.ts'
import { runAsOf, runnablePostgres } from './postgres-binaries.ts'
import {
  type Cluster,
  makeCluster,
  runningServer,
  type Server,
  startServer,
  stopLeftServer,
} from './postgres-cluster.ts'
import { type LoginRole, provisionRoles, scramVerifier } from './roles.ts'

type EmbeddedOptions = {
  /** The service's home directory; made if missing. */
  home: string
  /** A loopback port; the one of the last start, or any free one, when absent. */
  port?: number
  /** Nothing is synced to disk, and `stop` removes the cluster: for tests. */
  isThrowaway?: boolean
}

/**
 * A running server with a database `gyeol` and all roles in place; the schema is for `migrate` to
 * make.
 */
export type EmbeddedDatabase = {
  readonly port: number
  /**
   * The superuser's URL, and one for each role that logs in. They hold passwords: never log them.
   */
  readonly urls: Readonly<Record<'admin' | LoginRole, string>>
  /** Resolves when the server ends, wanted or not: a service ends with it. */
  readonly ended: Promise<void>
  /** Ends all sessions, stops the server, and resolves when everything is on disk. */
  stop(): Promise<void>
}

/** Spells "home". Held in the database `postgres`. */
const ownerLock = 0x686f6d65
/** A server younger than this may have an owner that has not yet come to take its lock. */
const unownedAgeMs = 3_000
const takeOverTimeoutMs = 15_000
/** Crash recovery replays what was written since the last checkpoint. */
const startTimeoutMs = 120_000
const portAttemptsMax = 3

/**
 * Starts the server of a home; makes its cluster, database and roles the first time.
 *
 * @throws {Refusal} `address-taken` when another service runs on this home or something else
 *   listens at `port`; `option-unknown` when this machine cannot run the server; `schema-unknown`
 *   when another PostgreSQL made the cluster.
 */
export async function startEmbeddedDatabase(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const runAs = runAsOf(process.geteuid?.())
  // Where another user runs PostgreSQL, it must be able to pass through, though not to look around.
  mkdirSync(options.home, { recursive: true, mode: runAs === undefined ? 0o700 : 0o711 })
  const home = realpathSync(options.home)
  const { state, base } = openHome(home, runAs)
  const cluster: Cluster = {
    base,
    programs: runnablePostgres(base, runAs),
    runAs,
    isThrowaway: options.isThrowaway ?? false,
  }
  await takeOver(cluster, state)
  makeCluster(cluster, scramVerifier(state.passwords.admin))
  const { server, port, owner } = await startOnPort(cluster, state, options.port)
  try {
    rememberPort(home, state, port)
    await makeDatabase(owner)
    const urls = urlsOf(state, port, databaseName)
    await provisionRoles(urls.admin, state.passwords)
    releaseEventLoop(owner)
    return { port, urls, ended: server.ended, stop: () => stop(cluster, server) }
  } catch (error) {
    await stop(cluster, server)
    throw error
  }
}

async function stop(cluster: Cluster, server: Server): Promise<void> {
  await server.stop()
  if (cluster.isThrowaway) rmSync(cluster.base, { recursive: true, force: true })
}

/** Returns once no server runs on the cluster. */
async function takeOver(cluster: Cluster, state: HomeState): Promise<void> {
  for (let waitedMs = 0; waitedMs < takeOverTimeoutMs; waitedMs += 100) {
    const running = runningServer(cluster)
    if (running === undefined) return
    const owner = await ownerOf(urlsOf(state, running.port, 'postgres').admin)
    if (owner === 'alive') break
    if (owner === 'gone') return stopLeftServer(cluster, running.pid)
    await sleep(100) // It starts or stops just now.
  }
  throw new Refusal(
    'address-taken',
    'Another service runs on this home directory. Stop it, or choose another home.',
  )
}

async function ownerOf(url: string): Promise<'alive' | 'gone' | 'unclear'> {
  const client = newSession(url)
  try {
    await client.connect()
    const found = await client.query<{ isFree: boolean; ageMs: string }>(
      `select pg_try_advisory_lock($1::bigint) as "isFree",
         extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000 as "ageMs"`,
      [ownerLock],
    )
    if (found.rows[0]?.isFree !== true) return 'alive'
    return Number(found.rows[0].ageMs) < unownedAgeMs ? 'unclear' : 'gone'
  } catch {
    return 'unclear'
  } finally {
    await client.end().catch(() => {}) // The session may be broken; either way it is over.
  }
}

async function startOnPort(
  cluster: Cluster,
  state: HomeState,
  asked: number | undefined,
): Promise<{ server: Server; port: number; owner: pg.Client }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await portOf(asked, attempt === 1 ? state.port : null)
    const server = startServer(cluster, port)
    const owner = await ownerSession(server, urlsOf(state, port, 'postgres').admin)
    if (owner !== undefined) return { server, port, owner }
    if (attempt === portAttemptsMax) {
      throw new Error(
        `PostgreSQL ended while starting; it says why in ${cluster.base}/postgres.log`,
      )
    }
  }
}

/**
 * The session that holds the owner's lock, once the server answers; undefined when the server has
 * ended instead.
 */
async function ownerSession(server: Server, url: string): Promise<pg.Client | undefined> {
  let hasEnded = false
  void server.ended.then(() => {
    hasEnded = true
  })
  for (let waitedMs = 0; waitedMs < startTimeoutMs && !hasEnded; waitedMs += 25) {
    const client = newSession(url)
    try {
      await client.connect()
      const locked = await client.query<{ isFree: boolean }>(
        'select pg_try_advisory_lock($1::bigint) as "isFree"',
        [ownerLock],
      )
      if (locked.rows[0]?.isFree === true) return client
    } catch {
      // Not ready yet.
    }
    await client.end().catch(() => {}) // Never connected, or only looked.
    await sleep(25)
  }
  await server.stop()
  return undefined
}

/** A session outside any pool that survives the end of the server. */
function newSession(connectionString: string): pg.Client {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {}) // The server ended; `ended` tells.
  return client
}

/** The owner's session holds the lock, not the process. `unref` is missing from the types of pg. */
function releaseEventLoop(owner: pg.Client): void {
  if ('unref' in owner && typeof owner.unref === 'function') owner.unref()
}

async function makeDatabase(owner: pg.Client): Promise<void> {
  const found = await owner.query('select from pg_database where datname = $1::name', [
    databaseName,
  ])
  if (found.rowCount === 0) await owner.query(`create database ${databaseName}`)
}
