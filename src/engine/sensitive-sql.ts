/**
 * Which rows are of a sensitive class: one of the codes that the row carries, in whichever column, begins with one of the
 * class's. Such a row does not leave, because what is left of it (a department, a drug, an amount) would still tell. Only
 * of a death is the code taken away and the row kept: without the row the person would be alive.
 */
import type { CatalogueTable } from '../catalogue/schema.ts'
import type { SensitiveClass } from '../catalogue/sensitive.ts'
import { quoteIdentifier, quoteText } from './session.ts'

type ListName = 'diagnoses' | 'specialBenefits' | 'drugs' | 'procedures'

/** In a claim's line, one column carries drugs and procedures alike, whatever it is called. */
const listsOfRole: Readonly<Record<string, readonly ListName[]>> = {
  diagnosis: ['diagnoses'],
  'secondary-diagnosis': ['diagnoses'],
  'special-benefit': ['specialBenefits'],
  drug: ['drugs', 'procedures'],
  procedure: ['procedures', 'drugs'],
}

/** The test of a row, and of one released cell. */
export type SensitiveSql = {
  /** Column → true where its code is of a class; never NULL. One of them is enough. */
  tests: ReadonlyMap<string, string>
  /** True where a row of `part` is of a class; never NULL. Undefined: no column of the table could tell. */
  isSensitive: string | undefined
  /** The SQL of a released column, without the codes that may not be shown. */
  shown: (column: string, sql: string) => string
}

/** The tests for the classes that a release leaves out. */
export function sensitiveSql(
  table: CatalogueTable,
  classes: readonly SensitiveClass[],
): SensitiveSql {
  const tests = new Map<string, string>()
  const hidden = new Map<string, string>()
  for (const [name, { role = '' }] of Object.entries(table.columns)) {
    const lists = role === 'cause-of-death' ? (['diagnoses'] as const) : (listsOfRole[role] ?? [])
    const prefixes = new Set(classes.flatMap((each) => lists.flatMap((list) => each[list])))
    if (prefixes.size === 0) continue
    const test = beginsWith(`part.${quoteIdentifier(name)}`, [...prefixes])
    if (role === 'cause-of-death') hidden.set(name, test)
    else tests.set(name, test)
  }
  return {
    tests,
    isSensitive:
      tests.size === 0 ? undefined : `(${[...tests.values()].join('\n            or ')})`,
    shown: (column, sql) => {
      const test = hidden.get(column)
      return test === undefined ? sql : `(case when ${test} then null else ${sql} end)`
    },
  }
}

/** One set for each length of prefix: a look-up each, not a comparison a prefix. */
function beginsWith(column: string, prefixes: readonly string[]): string {
  const lengths = [...new Set(prefixes.map(({ length }) => length))].sort((a, b) => a - b)
  const code = `upper(replace(${column}, '.', ''))`
  const tests = lengths.map((length) => {
    const codes = prefixes.filter((prefix) => prefix.length === length).map(quoteText)
    return `left(${code}, ${length}) in (${codes.join(', ')})`
  })
  return `coalesce(${tests.join(' or ')}, false)`
}
