import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { openSession, type Session } from '../engine/session.ts'
import { type AgencyFiles, agencies, sourceOf } from './agencies.ts'
import { bringChance } from './chance.ts'
import { writeClaimTables } from './claim-tables.ts'
import { type FileWriter, openFileWriter } from './files.ts'
import { type WrittenTables, writePersonTables } from './person-tables.ts'
import { makePersons } from './persons.ts'
import { makeRecordMacros, makeRecords, makeTypos, writeRecords } from './records.ts'
import { type DirtRates, defaultDirt, type PopulationOptions } from './settings.ts'
import { noticesQuery, type TruthPaths, writeTruth } from './truth.ts'

/** What was written. Paths are relative to the population's directory. */
export type Population = {
  outDir: string
  files: string[]
  /** Rows of each table of the catalogue in wave 1. */
  rowsByTable: Record<string, number>
  /** Local ids of each agency in wave 1. */
  personsByAgency: Record<string, number>
  /** The source description of each agency in wave 1, and in wave 2 of those that report then. */
  sources: Record<string, string>
  sourcesOfWave2: Record<string, string>
  truth: TruthPaths
  /** Rows of all files, truth included. */
  rows: number
  seconds: number
}

/**
 * Writes a synthetic nation: five agencies' own files, a directory each, with the dirt of
 * `DirtRates`, and the truth about them apart. The same persons, seed, layout and dirt give the
 * same bytes of every file, on any number of threads.
 *
 * @throws {Refusal} `already-exists` if the directory holds anything; `input-malformed` for a
 *   number out of range.
 */
export async function generatePopulation(options: PopulationOptions): Promise<Population> {
  const began = performance.now()
  const outDir = resolve(options.outDir)
  await requireUsable(options, outDir)
  const dirt = { ...defaultDirt, ...options.dirt }
  const { threads = 2, memoryMiB = 1024 } = options
  const session = await openSession({
    scratchDir: outDir,
    memoryMiB,
    threads,
    spillMiB: 32 * memoryMiB,
  })
  try {
    const writer = openFileWriter(session, { ...options, outDir })
    await bringChance(session, options.seed)
    await makePersons(session, options.persons, dirt)
    await makeRecordMacros(session, dirt)
    await makeTypos(session, ['ncc', 'nhis', 'hira', 'kdca', 'kostat'])
    const truth = await writeTruth(session, writer)
    const written = { rowsByTable: {}, personsByAgency: {}, sources: {}, sourcesOfWave2: {} }
    for (const agency of agencies) {
      await writeAgency({ session, writer, options, dirt }, agency, written)
    }
    const { files, rows } = await writer.finish()
    const seconds = (performance.now() - began) / 1000
    return { outDir, files, ...written, truth, rows, seconds }
  } finally {
    session.close()
    await rm(join(outDir, 'spill'), { recursive: true, force: true })
  }
}

async function requireUsable(options: PopulationOptions, outDir: string): Promise<void> {
  const { persons, seed, statementsPerPerson = 20 } = options
  if (!Number.isInteger(persons) || persons < 1000 || persons > 3_000_000) {
    throw new Refusal('input-malformed', 'Ask for 1,000 to 3,000,000 persons.')
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Refusal('input-malformed', 'Give a whole number from 0 to 2^53 - 1 as the seed.')
  }
  if (!(statementsPerPerson >= 1 && statementsPerPerson <= 100)) {
    throw new Refusal('input-malformed', 'Ask for 1 to 100 statements a person.')
  }
  await mkdir(outDir, { recursive: true })
  if ((await readdir(outDir)).length > 0) {
    throw new Refusal('already-exists', 'The directory is not empty; choose another.')
  }
}

type Work = {
  session: Session
  writer: FileWriter
  options: PopulationOptions
  dirt: DirtRates
}

type Written = Pick<Population, 'rowsByTable' | 'personsByAgency' | 'sources' | 'sourcesOfWave2'>

async function writeAgency(work: Work, agency: AgencyFiles, written: Written): Promise<void> {
  const { session, writer, options, dirt } = work
  await makeRecords(session, agency, dirt)
  const persons = await writeRecords(writer, agency)
  const tables: WrittenTables =
    agency.name === 'hira'
      ? await writeClaimTables(session, writer, agency, {
          statements: options.persons * (options.statementsPerPerson ?? 20),
          dirt,
          hasOldLayout: options.layout !== 'steady',
        })
      : await writePersonTables(session, writer, agency)
  const hasNotices = agency.name === 'nhis'
  if (hasNotices) await writer.csv('nhis/notices.csv', noticesQuery, agency.dialect)
  const groups = Object.fromEntries(Object.entries(tables).map(([name, t]) => [name, t.groups]))
  const source = `${agency.directory}/source.json`
  await writer.json(source, sourceOf(agency, groups, hasNotices))
  if (agency.wave === 2) {
    written.sourcesOfWave2[agency.name] = source
    return
  }
  written.sources[agency.name] = source
  written.personsByAgency[agency.name] = persons
  for (const [name, table] of Object.entries(tables)) written.rowsByTable[name] = table.rows
}
