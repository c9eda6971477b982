/**
 * Which counts must not be shown, and which others must be hidden with them so that nobody finds them again from the sums
 * that are known. In both parts a cell is **small** when it counts fewer persons than the threshold; small cells are hidden,
 * and with them as many others (**withheld**, complementary) as it takes.
 *
 * `hiddenCells` is for any number of ways and for sums that overlap, as in reports about a linkage; nobody (0) is not small
 * there. It hides until no small cell follows from the known sums: not exactly, and not by what being small or withheld says
 * of a cell.
 *
 * `protectTable` is for tables of two ways that leave with all their margins, and promises more: of every hidden cell there
 * are two tables at least that agree with all that is shown and differ in the cell, and of every small cell one in which it
 * reaches the threshold. So nobody computes its value, nor that it is small; zero is small there, because that nobody has
 * something says something about everybody. The others are drawn, for everybody may read here by which rule they are chosen:
 * were it always the fewest persons, the choice itself would tell. It promises nothing about somebody who knows more than
 * the table: the draw, other tables of the same persons, or one of the persons.
 */
import { determinedCells } from './determined-cells.ts'
import { Refusal } from './errors.ts'

/** A table: quantities that add up alike, and the sums over its cells that a reader knows. */
export type CountTable = {
  /** Quantity → cell → count. A cell is small if one of its quantities is. */
  quantities: readonly (readonly number[])[]
  /** Each: the cells (by index) of one known sum. */
  sums: readonly (readonly number[])[]
  /** Cells hidden already, whatever they count. */
  hidden?: ReadonlySet<number>
}

/** True for a count of somebody, but of fewer than the threshold. */
export function isSmall(count: number, threshold: number): boolean {
  return count > 0 && count < threshold
}

/**
 * The cells to hide: all small ones, those hidden already, and those withheld for their sake.
 *
 * Where even hiding every cell would not do (a sum that is itself small), everything under that sum is hidden; not to
 * publish such a sum is the caller's part.
 */
export function hiddenCells(table: CountTable, threshold: number): Set<number> {
  const cells = table.quantities[0]?.length ?? 0
  const all = Array.from({ length: cells }, (_, cell) => cell)
  const small = new Set(
    all.filter((cell) => table.quantities.some((counts) => isSmall(counts[cell] ?? 0, threshold))),
  )
  const hidden = new Set([...small, ...(table.hidden ?? [])])
  for (;;) {
    const open = openSum(table, { hidden, threshold }) ?? sumOfDetermined(table, hidden, small)
    if (open === undefined) return hidden
    const next =
      smallestShown(table, hidden, { among: open, threshold }) ??
      smallestShown(table, hidden, { among: all, threshold })
    if (next === undefined) return hidden
    hidden.add(next)
  }
}

/** A sum whose hidden cells say too much of its small ones, and that has a cell left to withhold. */
function openSum(
  { quantities, sums }: CountTable,
  { hidden, threshold }: { hidden: ReadonlySet<number>; threshold: number },
): readonly number[] | undefined {
  return sums.find((sum) => {
    const inside = sum.filter((cell) => hidden.has(cell))
    if (inside.length === 0 || inside.length === sum.length) return false
    return quantities.some((counts) => {
      const of = inside.map((cell) => counts[cell] ?? 0)
      const few = of.filter((count) => isSmall(count, threshold)).length
      if (few === 0) return false
      const many = of.filter((count) => count >= threshold).length
      const total = of.reduce((a, b) => a + b, 0)
      // Each small cell could be 1, and could be threshold - 1 with the others at their least.
      return many === 0
        ? few === 1 || total < threshold
        : total < threshold * many + (threshold - 1) + (few - 1)
    })
  })
}

/** A known sum over a small cell that follows exactly from the known sums; undefined if none does. */
function sumOfDetermined(
  { sums }: CountTable,
  hidden: ReadonlySet<number>,
  small: ReadonlySet<number>,
): readonly number[] | undefined {
  const cell = determinedCells(sums, hidden).find((determined) => small.has(determined))
  if (cell === undefined) return undefined
  return (
    sums.find((sum) => sum.includes(cell) && sum.some((other) => !hidden.has(other))) ??
    sums.find((sum) => sum.includes(cell))
  )
}

function smallestShown(
  { quantities }: CountTable,
  hidden: ReadonlySet<number>,
  { among, threshold }: { among: readonly number[]; threshold: number },
): number | undefined {
  const countOf = (cell: number): number => Math.min(...quantities.map((of) => of[cell] ?? 0))
  const rankOf = (cell: number): number => {
    const count = countOf(cell)
    if (count === 0) return 2 * Number.MAX_SAFE_INTEGER
    // Twice the threshold leaves the small cell all its possible values.
    return count < 2 * threshold - 1 ? Number.MAX_SAFE_INTEGER - count : count
  }
  return among.filter((cell) => !hidden.has(cell)).sort((a, b) => rankOf(a) - rankOf(b) || a - b)[0]
}

const cellsMax = 10_000

/** A table of two ways: what is counted and, if that is not persons, the persons behind each count. */
export type TwoWays = {
  counts: readonly (readonly number[])[]
  persons?: readonly (readonly number[])[]
}

export type Protected = {
  /** In the shape of the table: true where the count is not shown. */
  hidden: boolean[][]
  /** Cells below the threshold, and cells hidden for their sake. */
  primary: number
  complementary: number
}

type Cell = { row: number; column: number }

/** `hidden`: what must not be shown whatever it counts. `draw`: a number from 0 up to 1 that nobody can foretell. */
export type Protection = {
  threshold: number
  hidden?: readonly (readonly boolean[])[]
  draw: () => number
}

/**
 * Protects a table of two ways whose margins are shown. Beside each hidden cell stands a rectangle of hidden cells along
 * which counts could be moved without a margin or a shown cell noticing: for a small cell far enough to reach the threshold.
 * One that is hidden already is taken, else one is drawn, the likelier the fewer persons it hides.
 *
 * @param table - every row equally long, at most 10,000 cells. Where rows of persons are counted, a cell is small by its
 *   persons, and its count can be moved by the threshold at least.
 * @throws {Refusal} `policy-refused` when a margin itself is below the threshold, or a cell cannot be protected: merge rows
 * or columns.
 * @throws {RangeError} for a table that is none: a defect.
 */
export function protectTable(table: TwoWays, { threshold, draw, ...more }: Protection): Protected {
  const { counts, persons = counts } = table
  requireTable(counts, persons)
  const lines = [
    ...persons,
    ...(persons[0] ?? []).map((_, at) => persons.map((row) => row[at] ?? 0)),
  ]
  // Persons of several cells of a line may be the same, unless each person is counted once.
  const personsOf = persons === counts ? total : (line: readonly number[]) => Math.max(...line)
  const few = lines.filter((line) => personsOf(line) < threshold).length
  if (few > 0)
    throw refused({ fault: 'rows or columns below the threshold', threshold, small: few })
  const isSmallAt = ({ row, column }: Cell): boolean => (persons[row]?.[column] ?? 0) < threshold
  const cells = counts.flatMap((line, row) => line.map((_, column) => ({ row, column })))
  const small = cells.filter(isSmallAt)
  const others = cells.filter((cell) => more.hidden?.[cell.row]?.[cell.column] && !isSmallAt(cell))
  const hidden = counts.map((line) => line.map(() => false))
  for (const cell of [...small, ...others]) hide(hidden, cell)
  for (const [at, cell] of [...small, ...others].entries()) {
    const count = counts[cell.row]?.[cell.column] ?? 0
    const least = count < threshold ? threshold - count : threshold
    const corner = drawnCorner(counts, hidden, { cell, lift: at < small.length ? least : 1, draw })
    if (!corner) throw refused({ fault: 'a cell that cannot be protected', threshold })
    const { row, column } = corner
    for (const each of [corner, { ...cell, row }, { ...cell, column }]) hide(hidden, each)
  }
  const all = hidden.flat().filter((isHidden) => isHidden).length
  return { hidden, primary: small.length, complementary: all - small.length }
}

type Counts = readonly (readonly number[])[]
type Hidden = readonly (readonly boolean[])[]

/** The opposite corner of a rectangle that protects a cell. */
function drawnCorner(
  counts: Counts,
  hidden: Hidden,
  { cell, lift, draw }: { cell: Cell; lift: number; draw: () => number },
): Cell | undefined {
  let weights = 0
  for (const { cost, ...corner } of rectangles(counts, hidden, { cell, lift })) {
    if (cost === 0) return corner
    weights += 1 / cost
  }
  let left = weights === 0 ? 0 : draw() * weights
  let drawn: Cell | undefined
  for (const { cost, ...corner } of rectangles(counts, hidden, { cell, lift })) {
    left -= 1 / cost
    drawn = corner
    if (left < 0) break
  }
  return drawn
}

/** The rectangles along which a cell can be lifted so far, and what they would hide that is not hidden yet. */
function* rectangles(
  counts: Counts,
  hidden: Hidden,
  { cell, lift }: { cell: Cell; lift: number },
): Generator<Cell & { cost: number }> {
  const at = (row: number, column: number): number => counts[row]?.[column] ?? 0
  const costAt = (row: number, column: number): number =>
    hidden[row]?.[column] ? 0 : at(row, column) + 1
  for (const row of counts.keys()) {
    if (row === cell.row || at(row, cell.column) < lift) continue
    const side = costAt(row, cell.column)
    for (const column of counts[0]?.keys() ?? []) {
      if (column === cell.column || at(cell.row, column) < lift) continue
      yield { row, column, cost: side + costAt(cell.row, column) + costAt(row, column) }
    }
  }
}

function hide(hidden: boolean[][], { row, column }: Cell): void {
  const line = hidden[row]
  if (line) line[column] = true
}

function requireTable(counts: Counts, persons: Counts): void {
  const width = counts[0]?.length ?? 0
  if (width === 0 || counts.length * width > cellsMax) throw new RangeError('no table of this size')
  if ([...counts, ...persons].some((row) => row.length !== width)) {
    throw new RangeError('rows differ in length')
  }
  if (persons.length !== counts.length) throw new RangeError('persons of another table')
  if ([...counts, ...persons].flat().some((count) => !Number.isSafeInteger(count) || count < 0)) {
    throw new RangeError('a count that is none')
  }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function refused(details: Record<string, string | number>): Refusal {
  return new Refusal(
    'policy-refused',
    'The table shows too few persons. Merge rows or columns and build it again.',
    details,
  )
}
