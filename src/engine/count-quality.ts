/**
 * Counts, on the data side, how well a linkage went: link rates, what linked and unlinked records look like, what cannot be
 * true of one person, and which agencies know whom. Typed parts and link maps in, counts out, a part at a time.
 */
import type { CatalogueTable } from '../catalogue/schema.ts'
import { type CheckRule, checkRules, type Dimension, dimensions } from '../core/quality-counts.ts'
import type { RawMoments, RawQuality, RawTable } from '../core/quality-raw.ts'
import { chancesOf, checkCounts } from './quality-checks.ts'
import * as sql from './quality-sql.ts'
import { quoteText, type Session } from './session.ts'

/** What one agency delivered: for each delivery its map and its typed parts. */
export type QualitySource = {
  agency: string
  isSpine: boolean
  deliveries: {
    /** Opens the map: Parquet of serial, ordinal (NULL: not linked) and perhaps pass. */
    openMap: () => Promise<OpenedFile>
    parts: { table: CatalogueTable; open: () => Promise<OpenedFile> }[]
  }[]
}

/** A file of the scratch directory, there until it is let go. */
export type OpenedFile = { path: string; letGo: () => Promise<void> }

/** What is told while it counts: after each part, and of each delivery while `record` and `fact` are of it. */
export type OnQuality = {
  onPart: (done: number) => void
  onDelivery?: OnDelivery | undefined
}
type OnDelivery = (agency: string, isSpine: boolean) => Promise<void>

const factsMax = 8_000_000 // Some 400 MB of narrow columns, before they are folded to one line a record.

/**
 * All counts, nothing hidden yet.
 *
 * @param sources - one is the spine.
 */
export async function countQuality(
  session: Session,
  sources: readonly QualitySource[],
  { onPart, onDelivery = async () => {} }: OnQuality,
): Promise<RawQuality> {
  const spine = sources.find(({ isSpine }) => isSpine)
  if (!spine) throw new Error('a linkage has a spine')
  const others = sources.filter(({ isSpine }) => !isSpine)
  let parts = 0
  const onOne = (): void => {
    parts += 1
    onPart(parts)
  }
  await session.run(sql.linkedTable)
  await readSpine(session, spine, { onOne, onDelivery })
  const rates: RawTable[] = []
  const births: RawQuality['births'] = []
  for (const [number, { agency, deliveries }] of others.entries()) {
    await session.run('create or replace temp table all_profiles as from profile limit 0')
    for (const delivery of deliveries) {
      await readDelivery(session, delivery, { isSpine: false, onOne })
      await onDelivery(agency, false)
      await session.run(sql.keepLinked(number))
      await session.run('insert into all_profiles from profile')
    }
    const isLinked = 'ordinal is not null'
    const of = { basis: 'records' as const, agency }
    rates.push(...(await ratesOf(session, of, { from: 'all_profiles', isLinked })))
    births.push({ agency, ...(await birthsOf(session)) })
  }
  await session.run('drop table all_profiles')
  const names = others.map(({ agency }) => agency)
  return {
    spine: spine.agency,
    agencies: names,
    ...(await ofPersons(session, names, rates)),
    births,
    checks: await checksOf(session, names),
    chanceOfDifference: await chancesOf(session),
  }
}

/** Table `spine`: the profile of every person, from all deliveries of the spine. */
async function readSpine(
  session: Session,
  { agency, deliveries }: QualitySource,
  { onOne, onDelivery }: { onOne: () => void; onDelivery: OnDelivery },
): Promise<void> {
  await session.run(sql.factTable)
  await session.run(
    'create temp table spine_record (number integer, ordinal integer, pass varchar)',
  )
  for (const delivery of deliveries) {
    await addFacts(session, delivery, { isSpine: true, onOne })
    await onDelivery(agency, true)
    // By which pass a record of the spine became its person is nobody's question here.
    await session.run('insert into spine_record select number, ordinal, null from record')
  }
  await session.run(sql.foldStep)
  await session.run('create or replace temp table record as from spine_record')
  await session.run(sql.profileStep)
  await session.run('create temp table spine as from profile')
}

/** Table `profile` of one delivery of another agency. */
async function readDelivery(
  session: Session,
  delivery: QualitySource['deliveries'][number],
  about: { isSpine: boolean; onOne: () => void },
): Promise<void> {
  await session.run(sql.factTable)
  await addFacts(session, delivery, about)
  await session.run(sql.foldStep)
  await session.run(sql.profileStep)
}

async function addFacts(
  session: Session,
  { openMap, parts }: QualitySource['deliveries'][number],
  { isSpine, onOne }: { isSpine: boolean; onOne: () => void },
): Promise<void> {
  const map = await openMap()
  const source = `select * from read_parquet(${quoteText(map.path)})`
  const columns = await session.rows<{ column_name: string }>(`describe ${source}`)
  const hasPass = columns.some(({ column_name }) => column_name === 'pass')
  await session.run(sql.recordStep(map.path, { hasPass, isSpine }))
  await map.letGo()
  for (const { table, open } of parts) {
    if (sql.isAboutPersons(table)) {
      const part = await open()
      await session.run(sql.factStep(part.path, table))
      await part.letGo()
      const [facts] = await session.rows<{ count: number }>('select count(*) as count from fact')
      if ((facts?.count ?? 0) > factsMax) await session.run(sql.foldStep)
    }
    onOne()
  }
}

type Population = { from: string; isLinked: string }

/** By nothing, by each dimension that anything is known of, and by year and each other. */
async function ratesOf(
  session: Session,
  of: Pick<RawTable, 'basis' | 'agency'>,
  population: Population,
): Promise<RawTable[]> {
  const known = await knownDimensions(session, population.from)
  const others = known.filter((dimension) => dimension !== 'year')
  const pairs = known.includes('year') ? others.map((other): Dimension[] => ['year', other]) : []
  const tables: RawTable[] = []
  for (const by of [[], ...known.map((dimension) => [dimension]), ...pairs]) {
    tables.push({ ...of, by, cells: await cellsOf(session, by, population) })
  }
  return tables
}

async function knownDimensions(session: Session, from: string): Promise<Dimension[]> {
  const columns = dimensions.map((name) => `bool_or("${name}" <> 'unknown') as "${name}"`)
  const [known] = await session.rows<Record<string, boolean>>(
    `select ${columns.join(', ')} from ${from}`,
  )
  return dimensions.filter((dimension) => known?.[dimension] === true)
}

async function cellsOf(
  session: Session,
  by: readonly Dimension[],
  { from, isLinked }: Population,
): Promise<RawTable['cells']> {
  const names = by.map((dimension) => `"${dimension}"`)
  const select = [...names.map((name, at) => `${name} as level${at}`), ''].join(', ')
  const rows = await session.rows<Record<string, string> & { delivered: number; linked: number }>(`
    select ${select} count(*) as delivered, count(*) filter (${isLinked}) as linked
    from ${from}
    ${names.length > 0 ? `group by ${names.join(', ')} order by ${names.join(', ')}` : ''}`)
  return rows.map((row) => ({
    levels: by.map((_, at) => row[`level${at}`] ?? ''),
    delivered: row.delivered,
    linked: row.linked,
  }))
}

async function birthsOf(session: Session): Promise<{ linked: RawMoments; unlinked: RawMoments }> {
  const rows = await session.rows<RawMoments & { isLinked: boolean }>(`
    select ordinal is not null as "isLinked", count(birth) as persons,
      coalesce(avg(birth), 0) as mean, coalesce(stddev_pop(birth), 0) as sd
    from all_profiles
    group by 1`)
  const of = (isLinked: boolean): RawMoments => {
    const found = rows.find((row) => row.isLinked === isLinked)
    return { persons: found?.persons ?? 0, mean: found?.mean ?? 0, sd: found?.sd ?? 0 }
  }
  return { linked: of(true), unlinked: of(false) }
}

/** The spine's persons: how many, by which agencies they are known, and the rates of that. */
async function ofPersons(
  session: Session,
  agencies: readonly string[],
  rates: readonly RawTable[],
): Promise<Pick<RawQuality, 'persons' | 'overlap' | 'rates'>> {
  await session.run(`
    create temp table known as
    select spine.*, coalesce(sources, 0) as sources
    from spine
    left join (
      select ordinal, bit_or(1::bigint << agency) as sources from linked group by ordinal
    ) using (ordinal)`)
  const rows = await session.rows<{ sources: number; persons: number }>(
    'select sources, count(*) as persons from known group by sources order by persons desc, sources',
  )
  const bitOf = (number: number): string => `(sources >> ${number}) & 1 = 1`
  const ofSpine: RawTable[] = []
  for (const [number, agency] of agencies.entries()) {
    const of = { basis: 'spine' as const, agency }
    ofSpine.push(...(await ratesOf(session, of, { from: 'known', isLinked: bitOf(number) })))
  }
  return {
    persons: rows.reduce((sum, row) => sum + row.persons, 0),
    overlap: rows.map(({ sources, persons }) => ({
      agencies: agencies.filter((_, number) => Math.floor(sources / 2 ** number) % 2 === 1),
      persons,
    })),
    rates: [...rates, ...ofSpine],
  }
}

async function checksOf(
  session: Session,
  agencies: readonly string[],
): Promise<RawQuality['checks']> {
  const lines = await session.rows<Record<string, string | number | null>>(checkCounts)
  const count = (line: (typeof lines)[number], rule: CheckRule, what: string): number =>
    Number(line[`${rule} ${what}`] ?? 0)
  return checkRules.flatMap((rule) =>
    lines.flatMap((line) => {
      const compared = count(line, rule, 'asked')
      const pass = line['pass'] === null ? null : String(line['pass'])
      const agency = agencies[Number(line['agency'])] ?? ''
      if (compared === 0) return []
      return [{ rule, agency, pass, compared, flagged: count(line, rule, 'flags') }]
    }),
  )
}
