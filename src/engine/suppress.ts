/**
 * Suppression: cells first, records last. Column after column, in the order given, the cell of every record whose class is
 * too small is emptied; a class that is large enough only ever gains by it. Who is still in a class below k at the end is
 * left out whole, so afterwards every class has at least k records, whatever the data. A missing value is a value of its
 * own here; where it matches all, classes are larger still.
 *
 * Records of a class are treated alike, so everything but the last join runs over classes.
 */
import type { Suppressed } from '../core/disclosure-report.ts'
import { quoteIdentifier, type Session } from './session.ts'

export type Suppression = {
  /** Quoted name of a table of the session, with one record a person. */
  table: string
  quasiIdentifiers: readonly string[]
  k: number
  /** Of the quasi-identifiers, which may lose cells, the least needed first. None: records only. */
  cells: readonly string[]
  /** Greatest share of cells (records × quasi-identifiers), 0 to 1. A column that would exceed it is not begun. */
  cellsMaxShare: number
}

/**
 * Suppresses in place: afterwards the table has only the records kept, its quasi-identifiers are the released ones, and
 * "hidden" (BIGINT) has bit i set where the quasi-identifier of index i was emptied.
 *
 * @throws {RangeError} for more than 40 quasi-identifiers or cells of another column: a defect.
 */
export async function suppress(session: Session, of: Suppression): Promise<Suppressed> {
  const { quasiIdentifiers, k } = of
  if (quasiIdentifiers.length > 40) throw new RangeError('too many quasi-identifiers')
  const now = quasiIdentifiers.map((_, index) => `now_${index}`)
  const was = quasiIdentifiers.map((_, index) => `was_${index}`)
  const total = await beginClasses(session, of)
  const budget = of.cellsMaxShare * total * quasiIdentifiers.length
  let spent = 0
  for (const column of of.cells) {
    const index = quasiIdentifiers.indexOf(column)
    if (index < 0) throw new RangeError('cells of a column that is no quasi-identifier')
    const due = await countOf(session, `sum(n) filter (size < ${k} and now_${index} is not null)`)
    if (due === 0 || spent + due > budget) continue
    spent += due
    await emptyCells(session, { index, now, was, k })
  }
  await session.run(`
    create or replace temp table gyeol_kept as
    select ${[...was, ...now, 'hidden', 'n'].join(', ')} from gyeol_sized where size >= ${k}`)
  await session.run('drop table gyeol_sized')
  const suppressed = await counted(session, of, total)
  await rewrite(session, of)
  await session.run('drop table gyeol_kept')
  return suppressed
}

async function beginClasses(session: Session, of: Suppression): Promise<number> {
  const columns = of.quasiIdentifiers.map(quoteIdentifier)
  const both = columns.flatMap((column, index) => [
    `${column} as was_${index}`,
    `${column} as now_${index}`,
  ])
  await session.run(`
    create or replace temp table gyeol_sized as
    select ${[...both, '0::bigint as hidden', 'count(*) as n', 'count(*) as size'].join(', ')}
    from ${of.table} group by ${columns.join(', ') || 'true'}`)
  return await countOf(session, 'sum(n)')
}

async function countOf(session: Session, aggregate: string): Promise<number> {
  const [row] = await session.rows<{ count: number }>(
    `select coalesce(${aggregate}, 0)::bigint as count from gyeol_sized`,
  )
  return row?.count ?? 0
}

type Step = { index: number; now: string[]; was: string[]; k: number }

async function emptyCells(session: Session, { index, now, was, k }: Step): Promise<void> {
  const cell = `now_${index}`
  const next = now.map((column) =>
    column === cell ? `if(size < ${k}, null, ${cell}) as ${cell}` : column,
  )
  const hidden = `hidden + if(size < ${k} and ${cell} is not null, ${2 ** index}, 0) as hidden`
  await session.run(`
    create temp table gyeol_next as
    select ${[...was, ...next, hidden, 'n'].join(', ')} from gyeol_sized`)
  const same = now.map((column) => `next.${column} is not distinct from sizes.${column}`)
  await session.run(`
    create or replace temp table gyeol_sized as
    select next.*, size from gyeol_next next
    join (select ${now.join(', ')}, sum(n)::bigint as size from gyeol_next group by ${now.join(', ')}) sizes
      on ${same.join(' and ')}`)
  await session.run('drop table gyeol_next')
}

async function counted(session: Session, of: Suppression, total: number): Promise<Suppressed> {
  const sums = of.quasiIdentifiers.map(
    (_, index) =>
      `coalesce(sum(n) filter (hidden // ${2 ** index} % 2 = 1), 0)::bigint as cells_${index}`,
  )
  const [row = {}] = await session.rows<Record<string, number>>(
    `select ${['coalesce(sum(n), 0)::bigint as kept', ...sums].join(', ')} from gyeol_kept`,
  )
  const cellsOf = Object.fromEntries(
    of.quasiIdentifiers.map((column, index) => [column, row[`cells_${index}`] ?? 0]),
  )
  const records = total - (row['kept'] ?? 0)
  const cells = Object.values(cellsOf).reduce((sum, count) => sum + count, 0)
  const width = of.quasiIdentifiers.length
  return {
    records,
    recordsShare: total === 0 ? 0 : records / total,
    cells,
    cellsShare: total === 0 || width === 0 ? 0 : cells / (total * width),
    cellsOf,
  }
}

async function rewrite(session: Session, of: Suppression): Promise<void> {
  const columns = of.quasiIdentifiers.map(quoteIdentifier)
  const same = columns.map((column, i) => `record.${column} is not distinct from kept.was_${i}`)
  const replaced = columns.map((column, index) => `kept.now_${index} as ${column}`)
  const replace = replaced.length === 0 ? '' : `replace (${replaced.join(', ')})`
  await session.run(`
    create temp table gyeol_left as
    select record.* ${replace}, kept.hidden as hidden
    from ${of.table} record join gyeol_kept kept on ${same.join(' and ') || 'true'}`)
  await session.run(`create or replace temp table ${of.table} as select * from gyeol_left`)
  await session.run('drop table gyeol_left')
}
