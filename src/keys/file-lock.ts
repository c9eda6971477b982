/**
 * One writer at a time, across processes, with nothing to clean up after a crash.
 *
 * The lock is a file that names its holder. A lock whose process is gone (same machine and start of
 * the machine) or that is older than a minute is stale: writing a keyring takes milliseconds. It is
 * written beside its place and then linked to it, so that no process can die and leave one that
 * names nobody. Only one process at a time may judge a lock and break it, and it looks again before
 * it does, so that two who find the same stale lock cannot break a third one's fresh lock.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../core/errors.ts'

/** A lock that is held. */
export type FileLock = {
  /** False if someone has taken it for stale: then nothing may be written any more. */
  isHeld(): Promise<boolean>
  release(): Promise<void>
}

const staleAfterMs = 60_000
const waitMs = 20
const waitsMax = 500 // Ten seconds.

/**
 * Takes the lock of a file, waiting up to ten seconds.
 *
 * @throws {Refusal} `state-conflict` if another process keeps it.
 */
export async function lockFile(path: string): Promise<FileLock> {
  const lockPath = `${path}.lock`
  const token = randomUUID()
  const mine = JSON.stringify({ host: hostname(), boot: bootId(), pid: process.pid, token })
  const written = `${lockPath}.${token}`
  await writeFile(written, mine, { flag: 'wx', mode: 0o600 })
  try {
    for (let waits = 0; waits < waitsMax; waits += 1) {
      if (await isNew(link(written, lockPath))) return lockOf(lockPath, mine)
      if (!(await breakStale(lockPath))) await sleep(waitMs)
    }
  } finally {
    await unlink(written)
  }
  throw new Refusal('state-conflict', 'Another process is changing this keyring; try again later.')
}

function lockOf(lockPath: string, mine: string): FileLock {
  const isHeld = async (): Promise<boolean> => (await contentOf(lockPath)) === mine
  return {
    isHeld,
    release: async () => {
      if (await isHeld()) await unlink(lockPath)
    },
  }
}

/** Removes the lock if it is stale; says whether it did. */
async function breakStale(lockPath: string): Promise<boolean> {
  const found = await contentOf(lockPath)
  if (found === undefined || !(await isStale(lockPath, found))) return false
  const judgePath = `${lockPath}.judge`
  if (!(await isNew(writeFile(judgePath, '', { flag: 'wx', mode: 0o600 })))) {
    // A judge works for a moment; one from a minute ago has crashed.
    if (await isOld(judgePath)) await unlink(judgePath).catch(() => undefined)
    return false
  }
  try {
    if ((await contentOf(lockPath)) !== found) return false
    await unlink(lockPath)
    return true
  } finally {
    await unlink(judgePath)
  }
}

async function isStale(lockPath: string, content: string): Promise<boolean> {
  if (await isOld(lockPath)) return true
  const holder = parsed(content)
  if (holder === undefined || holder.host !== hostname()) return false
  return holder.boot !== bootId() || !isAlive(holder.pid)
}

function parsed(content: string): { host: string; boot: string; pid: number } | undefined {
  try {
    const { host, boot, pid } = JSON.parse(content)
    return typeof pid === 'number' ? { host: String(host), boot: String(boot), pid } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0) // Sends nothing; asks.
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > staleAfterMs
}

/** Changes with each start of the machine; empty where the system does not tell. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

/** Whether what was made did not exist before. */
async function isNew(made: Promise<void>): Promise<boolean> {
  try {
    await made
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
