/**
 * Where decoded text and spilled rows stand while a delivery is prepared: on a memory file system where there is one with
 * room, so that raw identifiers are not written to a disk a second time.
 */
import { createHash } from 'node:crypto'
import { access, constants, statfs } from 'node:fs/promises'
import { join } from 'node:path'

const memoryFileSystem = '/dev/shm'
const roomMin = 2 * 1024 ** 3

/** A private directory for `outDir`, not made yet. The same for the same `outDir`, so that a rerun clears what is left. */
export async function memoryDirFor(outDir: string): Promise<string> {
  try {
    await access(memoryFileSystem, constants.W_OK)
    const { bavail, bsize } = await statfs(memoryFileSystem)
    if (bavail * bsize >= roomMin) {
      const name = createHash('sha256').update(outDir).digest('hex').slice(0, 16)
      return join(memoryFileSystem, `gyeol-prepare-${name}`)
    }
  } catch {
    // No memory file system here.
  }
  return join(outDir, '.work')
}
