/**
 * The PostgreSQL that all test files of a run share: a process of its own that makes the cluster
 * and the migrated template, writes `ready.json`, and takes everything away when the run is over,
 * however it ended.
 *
 * Started by `database.ts` as `node cluster.ts <directory> <pid of the run>`.
 */
import { createHash } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { prepareQueue } from '../../src/queue/prepare-queue.ts'
import { startEmbeddedDatabase } from '../../src/store/embedded.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createPool } from '../../src/store/pool.ts'
import { type LoginRole, loginRoles, provisionRoles } from '../../src/store/roles.ts'

/** What `ready.json` holds. */
export type SharedCluster = {
  pid: number
  template: string
  urls: Record<'admin' | LoginRole, string>
}

type Source = Omit<SharedCluster, 'pid'> & { stop(): Promise<void> }

async function main(directory: string, runPid: number): Promise<void> {
  try {
    const adminUrl = process.env['DATABASE_URL']
    const source = await (adminUrl === undefined
      ? embedded(join(directory, 'home'))
      : external(adminUrl, `gyeol_template_${runPid}`))
    try {
      await prepareTemplate(source.urls.gyeol_migrate)
      publish(directory, 'ready.json', { pid: process.pid, ...source })
      while (isAlive(runPid)) await sleep(250)
    } finally {
      await source.stop()
    }
  } catch (error) {
    publish(directory, 'failed.json', { message: String(error) })
    while (isAlive(runPid)) await sleep(250)
  }
  rmSync(directory, { recursive: true, force: true })
}

async function embedded(home: string): Promise<Source> {
  const database = await startEmbeddedDatabase({ home, isThrowaway: true })
  return { template: 'gyeol', urls: database.urls, stop: () => database.stop() }
}

/**
 * A server of the tester's own. Its roles get passwords that follow from the URL, so that runs
 * agree on them.
 */
async function external(adminUrl: string, template: string): Promise<Source> {
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  await admin.query(`create database ${template}`)
  const passwordOf = (role: string): string =>
    createHash('sha256').update(`${adminUrl} ${role}`).digest('hex')
  const url = (role: string): string => {
    const made = new URL(adminUrl)
    made.pathname = `/${template}`
    if (role !== 'admin') Object.assign(made, { username: role, password: passwordOf(role) })
    return made.href
  }
  const urls = Object.fromEntries(['admin', ...loginRoles].map((role) => [role, url(role)]))
  const passwords = Object.fromEntries(loginRoles.map((role) => [role, passwordOf(role)]))
  await provisionRoles(url('admin'), passwords as Record<LoginRole, string>)
  return {
    template,
    urls: urls as SharedCluster['urls'],
    stop: async () => {
      await admin.query(`drop database ${template} with (force)`)
      await admin.end()
    },
  }
}

async function prepareTemplate(migrateUrl: string): Promise<void> {
  const pool = createPool({ connectionString: migrateUrl, max: 1, name: 'gyeol migrate' })
  await migrate(pool)
  await pool.end()
  await prepareQueue(migrateUrl)
}

function publish(directory: string, name: string, content: object): void {
  const unfinished = join(directory, `${name}.new`)
  writeFileSync(unfinished, JSON.stringify(content), { mode: 0o600 })
  renameSync(unfinished, join(directory, name))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const [directory, runPid] = process.argv.slice(2)
if (directory === undefined) throw new Error('cluster.ts is started by database.ts')
await main(directory, Number(runPid))
