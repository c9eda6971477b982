/**
 * Generalisation hierarchies in the ARX form: one line a value, `value;level 1;level 2;…`, every line equally long. Level 0
 * is the value itself. A value that the hierarchy does not list has no level, and nothing of it leaves.
 */
import { linesOf } from './text-lines.ts'

/** Lines of values and their levels. */
export type Hierarchy = readonly (readonly string[])[]

const linesMax = 20_000

/**
 * The lines of a hierarchy file. A cell may stand in double quotes.
 *
 * @throws {RangeError} for lines of different length, a value listed twice or empty, more than 20,000 lines, or a quote that
 * does not end, in words without a value.
 */
export function hierarchyOf(csv: string, delimiter = ';'): Hierarchy {
  const lines = linesOf(csv).filter((line) => line !== '')
  const hierarchy = lines.map((line) => cellsOf(line, delimiter))
  const fault = hierarchyFault(hierarchy)
  if (fault !== undefined) throw new RangeError(fault)
  return hierarchy
}

/** What is wrong with a hierarchy, in words without a value of it; undefined if nothing is. */
function hierarchyFault(hierarchy: Hierarchy): string | undefined {
  const width = hierarchy[0]?.length ?? 0
  if (hierarchy.length === 0 || width < 1) return 'a hierarchy has no lines'
  if (hierarchy.length > linesMax) return 'a hierarchy has more than 20,000 lines'
  if (hierarchy.some((line) => line.length !== width))
    return 'lines of a hierarchy differ in length'
  if (hierarchy.some(([value]) => !value)) return 'a hierarchy lists an empty value'
  const values = new Set(hierarchy.map(([value]) => value))
  return values.size === hierarchy.length ? undefined : 'a hierarchy lists a value twice'
}

/** What every listed value becomes on a level. */
export function levelOf(hierarchy: Hierarchy, level: number): [value: string, becomes: string][] {
  return hierarchy.map((line) => {
    const [value, becomes] = [line[0], line[level]]
    if (value === undefined || becomes === undefined) throw new RangeError('no such level')
    return [value, becomes]
  })
}

function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = []
  let rest = line
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"/.exec(rest)
    if (rest.startsWith('"') && quoted === null) throw new RangeError('a quote does not end')
    const end = quoted === null ? rest.indexOf(delimiter) : quoted[0].length
    const cell = end < 0 ? rest : rest.slice(0, end)
    cells.push(quoted === null ? cell : (quoted[1] ?? '').replaceAll('""', '"'))
    if (end < 0 || end >= rest.length) return cells
    if (!rest.startsWith(delimiter, end)) throw new RangeError('a quote ends inside a cell')
    rest = rest.slice(end + delimiter.length)
  }
}
