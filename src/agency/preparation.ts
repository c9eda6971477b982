/**
 * The steps of a preparation, over one open session: persons, serials, keys, then the rows of every table.
 */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { type Manifest, manifestSchema, noticesTable } from '../core/manifest.ts'
import { EngineError } from '../engine/engine-error.ts'
import { quoteText } from '../engine/session.ts'
import { explained, type Searched } from './explain.ts'
import { Meter } from './meter.ts'
import { createNotices, readNotices, writeNotices } from './notices.ts'
import { Parts } from './parts.ts'
import {
  createPersons,
  type PersonsReport,
  readPersons,
  settlePersons,
  writeKeys,
} from './persons.ts'
import type { PrepareOptions, PrepareReport } from './prepare-options.ts'
import { oneAhead, type Piece, piecesOf } from './readable.ts'
import { giveSerials, takeSerials } from './serials.ts'
import type { AgencySession } from './session.ts'
import { allPieces, type Batch, batchesOf, type NoticeSource, type Source } from './sources.ts'
import { type PiecePlan, planPiece, type TableReport, writeRows } from './table-rows.ts'

/** Where a preparation works. */
export type Place = { session: AgencySession; outDir: string; workDir: string; dirs: string[] }

/** Writes the delivery into `outDir`. See `prepare`. */
export async function prepareDelivery(
  place: Place,
  { sources, notices }: { sources: readonly Source[]; notices: readonly NoticeSource[] },
  options: PrepareOptions,
): Promise<PrepareReport> {
  const { signal, recipe: wanted } = options
  const meter = new Meter(place.session, sources, options.onProgress)
  await createPersons(place.session, wanted.recipe, wanted.keyTypes)
  const keys = new Parts(place.outDir, '')
  const tables = new Map<string, Table>()
  const settle = (): Promise<PersonsReport | null> =>
    options.content === 'tables'
      ? takeSerials(place.session, options.serials ?? '', options.only).then(() => null)
      : settleKeys(place, options, { keys, meter })
  let persons: PersonsReport | null | undefined
  const pieces = allPieces(sources, { workDir: place.workDir, ...(signal && { signal }) })
  for await (const batch of oneAhead(batchesOf(pieces))) {
    signal?.throwIfAborted()
    const { source } = batch[0]
    if (source.table !== undefined && persons === undefined) persons = await settle()
    const bytes = batch.reduce((sum, { piece }) => sum + piece.sourceBytes, 0)
    await meter.during(source, bytes, () => {
      if (source.table === undefined) return readPersonRows(place, batch, options)
      const table = tables.get(source.table) ?? newTable(place, source.table)
      tables.set(source.table, table)
      return readTableRows(place, batch, { table, options })
    })
    for (const { piece } of batch) await piece.release()
  }
  if (persons === undefined) persons = await settle()
  for (const [name, { report }] of tables) requireFewUnknown(name, report, options)
  const noticed = new Parts(place.outDir, noticesTable)
  const pairs = await settleNotices(place, { notices, parts: noticed }, options)
  const manifest = await writeManifest(place, options, [
    keys,
    noticed,
    ...[...tables.values()].map(({ parts }) => parts),
  ])
  const reports = [...tables].map(([name, { report }]) => [name, report])
  return { manifest, persons, notices: pairs, tables: Object.fromEntries(reports) }
}

type Table = { name: string; parts: Parts; report: TableReport }

async function settleKeys(
  { session, outDir, workDir }: Place,
  options: PrepareOptions,
  { keys, meter }: { keys: Parts; meter: Meter },
): Promise<PersonsReport> {
  meter.keys()
  const counts = await settlePersons(session)
  if (counts.persons === 0)
    throw new Refusal('input-malformed', 'There is not one person with an id in the files.')
  await giveSerials(session, workDir, options.serials)
  const path = join(outDir, 'serials.parquet')
  await session.run(
    `copy (select id, serial from serial_of order by serial) to ${quoteText(path)} (format parquet, compression zstd)`,
  )
  await chmod(path, 0o600)
  const { recipe, keyTypes: types } = options.recipe
  const making = { recipe, types, agenciesKey: keyOf(options) }
  return { ...counts, emptyKeys: await writeKeys(session, making, keys) }
}

async function settleNotices(
  place: Place,
  { notices, parts }: { notices: readonly NoticeSource[]; parts: Parts },
  options: PrepareOptions,
): Promise<number> {
  const { session, workDir } = place
  const { recipe } = options.recipe
  const { signal } = options
  if (notices.length === 0) return 0
  await createNotices(session)
  for (const source of notices) {
    for await (const unread of piecesOf(source, { workDir, ...(signal && { signal }) })) {
      const piece = await withColumns(session, unread)
      const { layout } = source
      await told(place, [{ piece }], () => readNotices(session, { piece, layout }, recipe))
      await piece.release()
    }
  }
  return await writeNotices(session, { recipe, agenciesKey: keyOf(options) }, parts)
}

function keyOf({ agenciesKey }: PrepareOptions): Uint8Array {
  if (agenciesKey) return agenciesKey
  throw new Error('keys are made under a key')
}

async function readPersonRows(
  place: Place,
  batch: Batch,
  { recipe: { recipe, keyTypes: types } }: PrepareOptions,
): Promise<number> {
  const { session } = place
  let scanned = 0
  for (const { source, piece: unread } of batch) {
    if (source.table !== undefined) continue
    const { layout } = source
    const piece = await withColumns(session, unread)
    const act = () => readPersons(session, { piece, layout }, { recipe, types })
    await told(place, [{ piece }], act)
    scanned += await session.rowsScanned()
  }
  return scanned
}

async function readTableRows(
  place: Place,
  batch: Batch,
  { table: { name, report, parts }, options }: { table: Table; options: PrepareOptions },
): Promise<number> {
  const { session } = place
  const wanted = options.recipe.tables[name]?.columns ?? {}
  const plans: PiecePlan[] = []
  for (const { source, piece: unread } of batch) {
    if (source.table === undefined) continue
    const piece = await withColumns(session, unread)
    plans.push(planPiece({ piece, layout: source.layout }, name, wanted))
  }
  const write = () => writeRows(session, { plans, wanted, asText: report.asText }, parts)
  const { scanned, written, notWanted } = await told(place, plans, write)
  report.rows += written
  report.notWanted += notWanted
  report.unknownPersons += scanned - written - notWanted
  const absent = plans.flatMap((plan) => plan.absent)
  report.absent.push(...absent.filter((column) => !report.absent.includes(column)))
  return scanned
}

/** What `act` gives; what it throws names the row to blame, if there is one. */
async function told<T>(
  { workDir, dirs }: Place,
  pieces: readonly { piece: Piece; searched?: Searched }[],
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    for (const { piece, searched } of pieces) {
      const reason = await explained(error, piece, { workDir, dirs, ...(searched && { searched }) })
      if (reason !== error) throw reason
    }
    throw error
  }
}

/** A Parquet file brings its columns along; nothing but their names is read here. */
async function withColumns(session: AgencySession, piece: Piece): Promise<Piece> {
  if (piece.format === 'csv') return piece
  try {
    const described = await session.rows(`describe select * from ${piece.relation}`)
    return { ...piece, columns: described.map((row) => String(row['column_name'])) }
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'other') throw error
    throw new Refusal('input-malformed', 'The file is not Parquet, or is damaged.', {
      file: piece.file,
    })
  }
}

function newTable({ outDir }: Place, name: string): Table {
  const report = { rows: 0, unknownPersons: 0, notWanted: 0, absent: [], asText: [] }
  return { name, parts: new Parts(outDir, name), report }
}

function requireFewUnknown(
  table: string,
  { rows, unknownPersons, notWanted }: TableReport,
  { unknownMaxShare = 0.05 }: PrepareOptions,
): void {
  const scanned = rows + unknownPersons + notWanted
  if (unknownPersons <= scanned * unknownMaxShare) return
  const sentence = 'Too many rows of the table have no person in the persons file. Check both ids.'
  throw new Refusal('too-many-bad-rows', sentence, { table, rows: scanned, unknownPersons })
}

async function writeManifest(
  { outDir }: Place,
  { wave, recipe: { project } }: PrepareOptions,
  listed: readonly Parts[],
): Promise<Manifest> {
  const parts = (await Promise.all(listed.map((one) => one.listed()))).flat()
  if (parts.length === 0)
    throw new Refusal('input-malformed', 'There is not one row that could go. Check the files.')
  const format = 'gyeol-manifest-1'
  const manifest = manifestSchema.parse({ format, ...(project && { project }), wave, parts })
  await writeFile(join(outDir, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
  return manifest
}
