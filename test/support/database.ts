/**
 * A database of its own for a test file: a clone of the migrated template in the cluster that the
 * run shares.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Test } from 'tap'
import { createPool, type Pool } from '../../src/store/pool.ts'
import type { LoginRole } from '../../src/store/roles.ts'
import type { SharedCluster } from './cluster.ts'

/** A migrated database and the URLs of everyone who may use it. */
export type TestDatabase = {
  readonly urls: Readonly<Record<'admin' | LoginRole, string>>
  /** A pool under this role, closed with the test. */
  pool(role: 'admin' | LoginRole, max?: number): Pool
}

const startTimeoutMs = 60_000

/**
 * Gives a test a fresh database, migrated, with roles and queue; dropped when the test ends.
 *
 * The cluster behind it is the embedded PostgreSQL, shared by the run; or, when `DATABASE_URL`
 * names a superuser, the server there.
 */
export async function startTestDatabase(t: Pick<Test, 'teardown'>): Promise<TestDatabase> {
  const cluster = await sharedCluster()
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer(cluster, `create database ${name} template ${cluster.template}`)
  const urls = { ...cluster.urls }
  for (const [role, url] of Object.entries(urls)) {
    const own = new URL(url)
    own.pathname = `/${name}`
    Object.assign(urls, { [role]: own.href })
  }
  const pools: Pool[] = []
  t.teardown(async () => {
    await Promise.all(pools.map((pool) => pool.end()))
    await administer(cluster, `drop database if exists ${name} with (force)`)
  })
  return {
    urls,
    pool: (role, max = 4) => {
      const pool = createPool({ connectionString: urls[role], max, name: `test ${role}` })
      pools.push(pool)
      return pool
    },
  }
}

/** Clones are made one at a time: the template may have no other session. */
async function administer(cluster: SharedCluster, statement: string): Promise<void> {
  const url = new URL(cluster.urls.admin)
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(1)')
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/**
 * The run's cluster; whoever comes first starts it. The run is the process that started this test
 * file.
 */
async function sharedCluster(): Promise<SharedCluster> {
  const isTapRun = process.env['TAP_CHILD_ID'] !== undefined
  const runPid = isTapRun ? process.ppid : process.pid
  const directory = join(tmpdir(), `gyeol-test-${runPid}`)
  for (let waitedMs = 0; waitedMs < startTimeoutMs; waitedMs += 50) {
    if (elected(directory)) {
      const program = fileURLToPath(new URL('cluster.ts', import.meta.url))
      spawn(process.execPath, [program, directory, String(runPid)], {
        detached: true,
        stdio: 'ignore',
      }).unref()
    }
    const failed = readJson<{ message: string }>(join(directory, 'failed.json'))
    if (failed !== undefined) throw new Error(`the test cluster did not start: ${failed.message}`)
    const ready = readJson<SharedCluster>(join(directory, 'ready.json'))
    if (ready !== undefined) {
      if (isAlive(ready.pid)) return ready
      rmSync(directory, { recursive: true, force: true }) // Left by a run of the same process id.
    }
    await sleep(50)
  }
  throw new Error('the test cluster did not start in time')
}

function elected(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o711 })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
