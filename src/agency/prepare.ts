/**
 * Prepares a delivery on the agency's own machine: reads its files once, makes keys and serials, and writes the parts, the
 * manifest and the agency's own map of serials. All or nothing: the delivery grows beside its place and is moved there when
 * it is whole; after a failure nothing of it is left. DESIGN.md §5.
 */
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { prepareDelivery } from './preparation.ts'
import { type PrepareOptions, type PrepareReport, requireNeeded } from './prepare-options.ts'
import { openAgencySession } from './session.ts'
import { dirsOf, noticeSourcesOf, sourcesOf } from './sources.ts'
import { memoryDirFor } from './work-dir.ts'

/**
 * Reads the agency's files and writes the delivery: `keys/` and `tables/<table>/` with their parts, `manifest.json`,
 * `serials.parquet` (id → serial, mode 0600; it never leaves the agency). Of tables alone there are neither keys nor
 * serials: those of the delivery before hold.
 *
 * The rows of a table stay roughly in the order of its file. An agency whose files are sorted by registration number should
 * know that the data side could read a person's rank from that.
 *
 * @returns the manifest and counts; never a value.
 * @throws {Refusal} `already-exists`, `column-missing`, `column-unknown`, `disk-full`, `identifier-in-payload`,
 *   `input-malformed`, `not-found`, `option-unknown`, `too-many-bad-rows`; details name file, line, table and columns.
 */
export async function prepare(options: PrepareOptions): Promise<PrepareReport> {
  requireNeeded(options)
  requireKnownTables(options)
  const outDir = resolve(options.outDir)
  const partial = `${outDir}.partial`
  await requireVacant(outDir)
  await requireSerials(options.serials)
  const workDir = await memoryDirFor(partial)
  const clear = async () => {
    for (const dir of [partial, workDir]) await rm(dir, { recursive: true, force: true })
  }
  await clear() // What a killed run left.
  try {
    for (const dir of [partial, workDir]) await mkdir(dir, { recursive: true, mode: 0o700 })
    const report = await withSession(partial, workDir, options)
    await rename(partial, outDir) // Onto an empty directory, or none.
    return report
  } finally {
    await clear()
  }
}

/** What stands in the way is never removed: only an empty directory may be there. */
async function requireVacant(outDir: string): Promise<void> {
  const found = await readdir(outDir).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') return [outDir] // A file.
    throw error
  })
  if (found.length === 0) return
  const sentence =
    'The place of the delivery is taken. Name a new directory, or empty that one first.'
  throw new Refusal('already-exists', sentence)
}

/** A Parquet file begins and ends with four letters; a wrong name is noticed before hours of work. */
async function requireSerials(path: string | undefined): Promise<void> {
  if (path === undefined) return
  const begins = Buffer.alloc(4)
  await using file = await open(path, 'r')
  await file.read(begins, 0, begins.length, 0)
  if (begins.toString('latin1') === 'PAR1') return
  throw new Refusal(
    'input-malformed',
    'The file of --serials is not the serials.parquet of a delivery.',
  )
}

async function withSession(
  outDir: string,
  workDir: string,
  options: PrepareOptions,
): Promise<PrepareReport> {
  const { signal, content, serials, only } = options
  const isOfTables = content === 'tables'
  const named = await sourcesOf(options.description, options.sourceDir)
  const sources = named.filter(({ table }) =>
    table === undefined ? !isOfTables : content !== 'keys',
  )
  const notices = isOfTables ? [] : await noticeSourcesOf(options.description, options.sourceDir)
  const given = [serials, only].flatMap((path) => (path ? [dirname(resolve(path))] : []))
  const dirs = [...dirsOf([...sources, ...notices]), ...given, outDir]
  const session = await openAgencySession({
    workDir,
    dirs,
    memoryMiB: options.memoryMiB ?? 600,
    threads: options.threads ?? availableParallelism(),
    ...(signal && { signal }),
  })
  try {
    return await prepareDelivery({ session, outDir, workDir, dirs }, { sources, notices }, options)
  } catch (error) {
    signal?.throwIfAborted() // Rather than what the interrupted statement says.
    throw error
  } finally {
    session.close()
  }
}

function requireKnownTables({ description, recipe }: PrepareOptions): void {
  for (const table of Object.keys(description.tables)) {
    if (Object.hasOwn(recipe.tables, table)) continue
    const sentence = 'The source description names a table that the project does not ask of you.'
    throw new Refusal('column-unknown', sentence, { table })
  }
  if (description.notices !== undefined && !recipe.keyTypes.includes('K1'))
    throw new Refusal('option-unknown', 'Notices are of an agency that sends K1. Leave them out.')
  for (const type of recipe.keyTypes) {
    if (recipe.recipe.keyTypes[type] !== undefined) continue
    throw new Refusal('option-unknown', 'The recipe lacks a key type that it asks of you.', {
      type,
    })
  }
}
