/**
 * Counts how many records share their quasi-identifiers, in one aggregation over any relation: a table of the session, a
 * Parquet file, a CSV file. The classes themselves never leave the engine; what comes out are counts.
 */
import { type ClassMeasures, type ClassSize, classMeasures } from '../core/disclosure.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** `own-value`: a missing value is a value like any other. `matches-all`: it is like every value (sdcMicro). */
export type Missing = 'own-value' | 'matches-all'

export type Measured = {
  /** What follows `from`: the quoted name of a table, or what `relationOf` gives. One record is one person. */
  from: string
  quasiIdentifiers: readonly string[]
  /** Count records in classes below each of these. */
  thresholds: readonly number[]
  missing?: Missing
}

/** More patterns of missing values than this are not compared with each other: 64 × 64 joins. */
const patternsMax = 64

/** A file as a relation. Every column of a CSV file is text; an empty cell is missing. */
export function relationOf(path: string, csv?: { delimiter: string }): string {
  if (csv === undefined) return `read_parquet(${quoteText(path)})`
  const delimiter = quoteText(csv.delimiter)
  return `read_csv(${quoteText(path)}, delim = ${delimiter}, header = true, all_varchar = true)`
}

/**
 * Measures the classes of a relation.
 *
 * @throws {RangeError} when missing values match all and stand in more than 64 different sets of columns.
 */
export async function measureClasses(session: Session, of: Measured): Promise<ClassMeasures> {
  const sizes =
    of.missing === 'matches-all' ? await matchingSizes(session, of) : await ownSizes(session, of)
  return classMeasures(sizes, of.thresholds)
}

async function ownSizes(session: Session, { from, quasiIdentifiers }: Measured) {
  // Without a quasi-identifier everybody is alike, and an empty relation still has no class.
  const by = quasiIdentifiers.map(quoteIdentifier).join(', ') || 'true'
  return await session.rows<ClassSize>(`
    select size, (size * count(*))::bigint as records
    from (select count(*) as size from ${from} group by ${by})
    group by size`)
}

/**
 * Every set of columns that are missing together is compared with every other: two records match when they agree on the
 * columns that neither misses.
 */
async function matchingSizes(session: Session, of: Measured): Promise<ClassSize[]> {
  const columns = of.quasiIdentifiers.map(quoteIdentifier)
  const bits = columns.map((column, index) => `if(${column} is null, ${2 ** index}, 0)`)
  await session.run(`
    create or replace temp table gyeol_classes as
    select row_number() over () as class, *
    from (
      select ${[...columns, `(${bits.join(' + ') || '0'})::bigint as "#mask"`].join(', ')}, count(*) as "#n"
      from ${of.from} group by all
    )`)
  const masks = (
    await session.rows<{ mask: number }>(
      'select distinct "#mask" as mask from gyeol_classes order by mask',
    )
  ).map(({ mask }) => mask)
  if (masks.length > patternsMax) throw new RangeError('too many patterns of missing values')
  const matches = masks.flatMap((mask) => masks.map((other) => matchesOf(columns, mask, other)))
  const sizes =
    matches.length === 0
      ? []
      : await session.rows<ClassSize>(`
          select size, sum(records)::bigint as records
          from (select any_value(n)::bigint as records, sum(matching)::bigint as size
                from (${matches.join('\nunion all\n')}) group by class)
          group by size`)
  await session.run('drop table gyeol_classes')
  return sizes
}

function matchesOf(columns: readonly string[], mask: number, other: number): string {
  const agreed = columns.filter((_, index) => ((mask | other) & (1 << index)) === 0)
  const on = agreed.map((column) => `mine.${column} = theirs.${column}`).join(' and ') || 'true'
  return `select class, mine."#n" as n, theirs.n as matching
    from (select * from gyeol_classes where "#mask" = ${mask}) mine
    join (select ${[...agreed, 'sum("#n") as n'].join(', ')} from gyeol_classes where "#mask" = ${other}
      group by ${agreed.join(', ') || 'true'}) theirs on ${on}`
}
