/**
 * Removes from a vault what nothing names: objects whose transaction never committed or that were
 * ended, and torn writes.
 */
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { removeFile, syncDirectory } from './atomic-file.ts'

/** Files younger than this are left alone: their transaction may still be on its way. */
export type SweepOptions = { olderThanMs: number; now: Date }

/** How many objects were looked at, orphans removed, temporary files removed. */
export type SweepCounts = { objects: number; orphans: number; temporaries: number }

/** How many ids are asked about at once. */
const batchMax = 1000

/** See `Vault.sweep`. Safe beside writers and other sweeps; memory does not grow with the vault. */
export async function sweepVault(
  directory: string,
  isNamed: (ids: string[]) => Promise<Set<string>>,
  options: SweepOptions,
): Promise<SweepCounts> {
  const counts: SweepCounts = { objects: 0, orphans: 0, temporaries: 0 }
  const before = options.now.getTime() - options.olderThanMs
  for await (const path of filesOlderThan(join(directory, 'temporary'), before)) {
    if (await removeFile(path)) counts.temporaries += 1
  }
  for (let prefix = 0; prefix < 256; prefix += 1) {
    await sweepFolder(join(directory, prefix.toString(16).padStart(2, '0')))
  }
  return counts

  async function sweepFolder(folder: string): Promise<void> {
    let batch: string[] = []
    let removed = 0
    for await (const path of filesOlderThan(folder, before)) {
      batch.push(path.slice(folder.length + 1))
      if (batch.length === batchMax) removed += await sweepBatch(folder, batch.splice(0))
    }
    removed += await sweepBatch(folder, batch)
    batch = []
    if (removed > 0) await syncDirectory(folder)
  }

  async function sweepBatch(folder: string, ids: string[]): Promise<number> {
    if (ids.length === 0) return 0
    const named = await isNamed(ids)
    let removed = 0
    for (const id of ids) {
      if (!named.has(id) && (await removeFile(join(folder, id)))) removed += 1
    }
    counts.objects += ids.length
    counts.orphans += removed
    return removed
  }
}

async function* filesOlderThan(folder: string, beforeMs: number): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(() => undefined)
  if (entries === undefined) return // A folder is made with its first object.
  for await (const entry of entries) {
    const path = join(folder, entry.name)
    const found = await stat(path).catch(() => undefined) // Another sweep may have been faster.
    if (found?.isFile() && found.mtimeMs < beforeMs) yield path
  }
}
