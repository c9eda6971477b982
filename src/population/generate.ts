import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { openSession, type Session } from '../engine/session.ts'
import { type AgencyFiles, agenciesOf, sourceOf } from './agencies.ts'
import { bringChance } from './chance.ts'
import { writeClaimTables } from './claim-tables.ts'
import { type FileWriter, openFileWriter } from './files.ts'
import { type WrittenTables, writePersonTables } from './person-tables.ts'
import { makePersons } from './persons.ts'
import { makeRecordMacros, makeRecords, makeTypos, writeRecords } from './records.ts'
import { type DirtRates, defaultDirt, type PopulationOptions } from './settings.ts'

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
  truth: { persons: string; ids: string; notices: string }
  /** Rows of all files, truth included. */
  rows: number
  seconds: number
}

/**
 * Writes a synthetic nation: five agencies' own files, a directory each, with the dirt of `DirtRates`, and the truth about
 * them apart. The same persons, seed, layout and dirt give the same bytes of every file, on any number of threads.
 *
 * @throws {Refusal} `already-exists` if the directory holds anything; `input-malformed` for a number out of range.
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
    for (const agency of agenciesOf(dirt.lateDeaths)) {
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
  const { persons, seed } = options
  if (!Number.isInteger(persons) || persons < 1000 || persons > 3_000_000) {
    throw new Refusal('input-malformed', 'Ask for 1,000 to 3,000,000 persons.')
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Refusal('input-malformed', 'Give a whole number from 0 to 2^53 - 1 as the seed.')
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
          spinePersons: options.persons,
          dirt,
          hasOldLayout: options.layout !== 'steady',
        })
      : await writePersonTables(session, writer, agency)
  const hasNotices = agency.name === 'nhis'
  if (hasNotices) await writer.csv('nhis/notices.csv', notices, agency.dialect)
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

const noticed = `kind = 'noticed' or (kind = 'naturalised' and dice('told', p) % 2 = 0)`
const notices = `
  select text_of(number) as "OLD_NO", text_of(other_number) as "NEW_NO"
  from person where ${noticed} order by dice('notice', p)`

/** Who is who, apart from the agencies' files. Numbers stand there as hashes: raw ones are in persons files only. */
async function writeTruth(session: Session, writer: FileWriter): Promise<Population['truth']> {
  await session.run(`
    create macro key_of_number(number) as case
      when regexp_full_match(number, '[0-9]{13}') and try_strptime(
        case number[7:7] when '1' then '19' when '2' then '19' when '5' then '19' when '6' then '19'
          when '9' then '18' when '0' then '18' else '20' end || number[:6], '%Y%m%d') is not null
      then hash(getvariable('seed'), 'k1', number) end;
    create macro key_of_birth(birth, sex) as
      case when birth is not null then hash(getvariable('seed'), birth, sex) end;
  `)
  const persons = 'truth/persons.parquet'
  await writer.parquet(
    persons,
    `select p as person, is_spine, sex, birth, is_foreign, kind, dx as diagnosed, death, sido as region
    from person order by p`,
  )
  const file = 'truth/notices.parquet'
  await writer.parquet(
    file,
    `select p as person, key_of_number(text_of(number)) as old_k1,
      key_of_number(text_of(other_number)) as new_k1
    from person where ${noticed} order by p`,
  )
  return { persons, ids: 'truth/ids', notices: file }
}
