/**
 * Where a worker's scratch is: on a memory file system, in a directory that is this user's alone.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { isMemoryFileSystem, ownedBy } from '../worker/scratch.ts'
import type { Config } from './config.ts'

const memoryDirectory = '/dev/shm'

/**
 * The scratch directory of a configuration, which exists afterwards.
 *
 * Without one given it is below /dev/shm, and on machines that have none below the home, which is
 * told loudly.
 *
 * @throws {Refusal} `option-unknown` for a place given that cannot be written, is on a disk
 *   (Linux), or belongs to others.
 */
export async function scratchRootOf(config: Config, tell: (line: string) => void): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const hasMemoryDirectory = statSync(memoryDirectory, { throwIfNoEntry: false })?.isDirectory()
  const usual = hasMemoryDirectory
    ? join(memoryDirectory, `gyeol-${uid}`)
    : join(config.home, 'scratch')
  const root = config.scratch ?? usual
  const isInMemory = await isMemoryFileSystem(root).catch((error: unknown) => {
    throw refused('The scratch directory cannot be written. Set GYEOL_SCRATCH to another.', error)
  })
  const found = statSync(root)
  if (found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw refused('Others may enter the scratch directory. Set GYEOL_SCRATCH to one of mode 0700.')
  }
  if (isInMemory) return root
  if (config.scratch !== undefined && process.platform === 'linux') {
    throw refused('GYEOL_SCRATCH is on a disk. Set it to a directory on a memory file system.')
  }
  tell('WARNING: scratch is on a disk, where opened data may survive. Set GYEOL_SCRATCH to memory.')
  return root
}

/** Removes what jobs of this process have left, synchronously: the process ends. */
export function clearOwnScratch(root: string): void {
  for (const name of readdirSync(root)) {
    if (name.startsWith(`${ownedBy(process.pid)}-`))
      rmSync(join(root, name), { recursive: true, force: true })
  }
}

function refused(sentence: string, cause?: unknown): Refusal {
  return new Refusal('option-unknown', sentence, {}, { cause })
}
