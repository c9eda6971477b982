/**
 * Scratch directories: where a job holds its opened inputs. Each is private to one job of one process, lies on a memory
 * file system and is removed whatever happens; what a killed process left is removed by the next one to start.
 */
import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Linux' numbers of file systems that keep nothing on a disk: tmpfs and ramfs. */
const memoryFileSystems = new Set([0x01021994, 0x858458f6])

/**
 * How the directories of a process begin: its id and when it started, for an id is given again, to the worker of a container
 * at its very next start. Where the system does not tell the start, the id has to do.
 */
export function ownedBy(pid: number): string {
  return `${pid}.${startOf(pid)}`
}

/** Makes the directory of one job. */
export async function makeScratch(root: string, jobId: string): Promise<string> {
  const path = join(root, `${ownedBy(process.pid)}-${jobId}`)
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { recursive: true, mode: 0o700 })
  return path
}

/** Removes the directory of one job. */
export async function removeScratch(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

/** Removes the directories of processes that are no more. Returns how many. */
export async function sweepScratch(root: string): Promise<number> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const names = await readdir(root)
  const stale = names.filter((name) => {
    const [, owner, pid] = /^((\d+)(?:\.\d*)?)-/.exec(name) ?? []
    return pid !== undefined && !(isAlive(Number(pid)) && owner === ownedBy(Number(pid)))
  })
  await Promise.all(stale.map((name) => removeScratch(join(root, name))))
  return stale.length
}

/** True if nothing written below this directory reaches a disk. */
export async function isMemoryFileSystem(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return memoryFileSystems.has((await statfs(directory)).type)
}

/** Clock ticks from the start of the machine: field 22 of proc(5), counted after the name, which may hold anything. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
