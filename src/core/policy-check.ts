/**
 * Holds a policy against a catalogue before anything is built. What it refuses, it names by table and column.
 */

import { z } from 'zod'
import type { Catalogue, CatalogueColumn } from '../catalogue/schema.ts'
import type { SensitiveLists } from '../catalogue/sensitive.ts'
import { hierarchyOf } from './hierarchy.ts'
import { own, type Policy, type PolicyTable, policyRefused, quasiIdentifierOf } from './policy.ts'
import { checkKind } from './policy-kind.ts'
import { leaves } from './policy-leaves.ts'
import { fitOf, type Rule, ruleFault } from './policy-rules.ts'

/** Dates that stand at events known to everybody; under `shift` the policy says what becomes of each. */
const anchoredRoles = new Set(['confirmation-date', 'screening-date', 'vaccination-date'])

/**
 * Checks a policy.
 *
 * @throws {Refusal} `policy-refused` naming table, column and what is wrong.
 */
export function checkPolicy(policy: Policy, catalogue: Catalogue, lists: SensitiveLists): void {
  if (Object.keys(policy.tables).length === 0) throw policyRefused({ fault: 'no table' })
  // A release that names no domain has its own id for one: its pseudonyms are nobody else's.
  if (z.uuid().safeParse(policy.domain).success)
    throw policyRefused({ fault: 'domain of one release' })
  const levels = levelsOf(policy)
  for (const [table, { columns, where }] of Object.entries(policy.tables)) {
    const known = own(catalogue.tables, table)
    if (!known) throw policyRefused({ table, fault: 'unknown table' })
    for (const [column, rule] of Object.entries(columns)) {
      const spec = own(known.columns, column)
      if (!spec) throw policyRefused({ table, column, fault: 'unknown column' })
      const fault = ruleFault(rule, spec) ?? hierarchyUseFault(rule, levels)
      if (fault !== undefined) throw policyRefused({ table, column, rule: rule.rule, fault })
      if (policy.dates === 'shift') checkShift(policy, { table, column, rule, spec })
    }
    if (where) checkScope(policy, { table, where, spec: own(known.columns, where.column) })
  }
  checkPersons(policy, catalogue)
  checkMeasures(policy, catalogue)
  checkKind(policy, catalogue)
  for (const { class: name } of policy.sensitive?.include ?? []) {
    if (!Object.hasOwn(lists.classes, name)) {
      throw policyRefused({ class: name, fault: 'unknown sensitive class' })
    }
  }
}

/** Hierarchy → number of levels above the value. */
function levelsOf(policy: Policy): Map<string, number> {
  return new Map(
    Object.entries(policy.hierarchies ?? {}).map(([name, { csv, delimiter }]) => {
      try {
        return [name, (hierarchyOf(csv, delimiter)[0]?.length ?? 1) - 1]
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        throw policyRefused({ hierarchy: name, fault: error.message })
      }
    }),
  )
}

function hierarchyUseFault(rule: Rule, levels: Map<string, number>): string | undefined {
  if (rule.rule !== 'hierarchy') return undefined
  const highest = levels.get(rule.of)
  if (highest === undefined) return 'unknown hierarchy'
  return rule.level > highest ? 'the hierarchy has no such level' : undefined
}

type Use = { table: string; column: string; rule: Rule; spec: CatalogueColumn }

/** Whatever shows the calendar beside a shifted date gives the shift away. */
function checkShift(policy: Policy, { table, column, rule, spec }: Use): void {
  if (fitOf(rule).gives(spec.type, 'shift') === undefined) return
  const isBirth = spec.role === 'birth-year' || spec.role === 'birth-year-month'
  if ((spec.type === 'year-month' || spec.role === 'year') && !isBirth) {
    throw policyRefused({ table, column, fault: 'cannot be shifted; drop it' })
  }
  if (spec.role !== undefined && anchoredRoles.has(spec.role) && !isAnchor(policy, table, column)) {
    throw policyRefused({ table, column, fault: 'name it in anchors: removed or shifted' })
  }
}

function checkScope(
  policy: Policy,
  of: {
    table: string
    where: NonNullable<PolicyTable['where']>
    spec: CatalogueColumn | undefined
  },
): void {
  const { table, where, spec } = of
  const { column } = where
  if (!spec) throw policyRefused({ table, column, fault: 'unknown column' })
  if (!['date', 'year-month', 'integer', 'timestamp'].includes(spec.type)) {
    throw policyRefused({ table, column, fault: 'years of a column without years' })
  }
  if (where.fromYear > where.toYear)
    throw policyRefused({ table, column, fault: 'years end first' })
  // Rows end where the years do: shifted past that day, the last row of a person shows the shift.
  const rule = own(own(policy.tables, table)?.columns ?? {}, column)
  if (policy.dates === 'shift' && rule?.rule === 'date' && !isAnchor(policy, table, column)) {
    throw policyRefused({ table, column, fault: 'name it in anchors: removed or shifted' })
  }
}

function isAnchor(policy: Policy, table: string, column: string): boolean {
  const anchors = policy.anchors ?? []
  return anchors.some((anchor) => anchor.table === table && anchor.column === column)
}

function checkPersons(policy: Policy, catalogue: Catalogue): void {
  const include = policy.persons?.include
  if (include) {
    const { table, column } = include
    const spec = own(own(catalogue.tables, table)?.columns ?? {}, column)
    if (!spec) throw policyRefused({ table, column, fault: 'unknown column' })
    if (spec.type !== 'code')
      throw policyRefused({ table, column, fault: 'inclusion without codes' })
  }
  for (const { table, column, from, to, action } of policy.anchors ?? []) {
    const rule = own(own(policy.tables, table)?.columns ?? {}, column)
    if (policy.dates !== 'shift')
      throw policyRefused({ table, column, fault: 'anchors without shift' })
    if (rule?.rule !== 'date') throw policyRefused({ table, column, fault: 'anchor is no date' })
    if ((from ?? '') > (to ?? '9999') || (action === 'remove' && (from ?? to) !== undefined)) {
      throw policyRefused({ table, column, fault: 'anchor with days that say nothing' })
    }
  }
}

/** What is measured must leave: a quasi-identifier that is not released would make the figures better than they are. */
function checkMeasures(policy: Policy, catalogue: Catalogue): void {
  const { measures } = policy
  if (!measures) return
  const seen = new Set<string>()
  for (const { table, column } of measures.quasiIdentifiers) {
    if (!leaves(policy, catalogue, table, column)) {
      throw policyRefused({ table, column, fault: 'a quasi-identifier that does not leave' })
    }
    if (seen.has(`${table}.${column}`)) throw policyRefused({ table, column, fault: 'named twice' })
    seen.add(`${table}.${column}`)
  }
  for (const { table, column } of [...measures.sensitive, ...measures.sets]) {
    if (table === 'persons' || !leaves(policy, catalogue, table, column)) {
      throw policyRefused({ table, column, fault: 'measured, but does not leave' })
    }
  }
  for (const { table, column } of measures.suppression?.cells ?? []) {
    if (quasiIdentifierOf(policy, table, column) < 0) {
      throw policyRefused({ table, column, fault: 'cells of what is no quasi-identifier' })
    }
  }
}
