/** Services with an embedded PostgreSQL, in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Test } from 'tap'

const child = fileURLToPath(new URL('embedded-child.ts', import.meta.url))
const sources = fileURLToPath(new URL('../../src', import.meta.url))

type Told = { port?: number; url?: string; refused?: string; message?: string }
/** A service in a process of its own, and what it told. */
export type Service = { process: ChildProcess; told: Told; ended: Promise<number | null> }

/** A directory that everybody can enter, or only its owner. */
export function directory(t: Pick<Test, 'teardown'>, mode: number): string {
  const made = mkdtempSync('/tmp/gyeol-embedded-')
  chmodSync(made, mode)
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Starts one and waits until it has told. */
export async function service(
  home: string,
  ending: 'stop' | 'wait' | 'throw' | 'return',
  options: { source?: string; uid?: number; gid?: number } = {},
): Promise<Service> {
  const { source = sources, ...ids } = options
  const running = spawn(process.execPath, [child, source, home, ending], {
    ...ids,
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise<number | null>((resolve) => running.once('exit', resolve))
  let text = ''
  running.stdout.on('data', (chunk) => {
    text += String(chunk)
  })
  const outcome = ended.then(() => sleep(50))
  while (!text.includes('\n') && (await Promise.race([sleep(20, true), outcome]))) {}
  return { process: running, told: JSON.parse(text || '{}') as Told, ended }
}

/** Whether a server answers there. */
export async function isUp(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Rows of one statement in a session of its own. */
export async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** The process id of the server that runs on a home. */
export function postmaster(home: string): number {
  return Number(readFileSync(join(home, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
}
