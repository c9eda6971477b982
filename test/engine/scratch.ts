import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { CatalogueColumn, CatalogueTable } from '../../src/catalogue/schema.ts'
import { Refusal } from '../../src/core/errors.ts'
import { openSession, type Session } from '../../src/engine/session.ts'

/** A session over a scratch directory of its own; both go when the test ends. */
export async function openScratch(
  t: Test,
  options: { threads?: number; memoryMiB?: number; spillMiB?: number } = {},
): Promise<{ session: Session; dir: string; path: (name: string) => string }> {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-engine-'))
  const session = await openSession({ scratchDir: dir, memoryMiB: 512, threads: 2, ...options })
  t.teardown(async () => {
    session.close()
    await rm(dir, { recursive: true, force: true })
  })
  return { session, dir, path: (name) => join(dir, name) }
}

/** Writes a text file and gives its path. */
export async function written(path: string, text: string | Uint8Array): Promise<string> {
  await writeFile(path, text)
  return path
}

/** What a promise was refused with. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** A catalogue table of the given columns. */
export function tableOf(
  columns: Record<string, Omit<CatalogueColumn, 'title'>>,
  badRowsMaxShare = 0.01,
): CatalogueTable {
  const title = { en: 'x', ko: 'x' }
  return {
    agency: 'hira',
    title,
    badRowsMaxShare,
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, { ...column, title }]),
    ),
  }
}
