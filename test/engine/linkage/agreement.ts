import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LinkRules, outcomes } from '../../../src/core/passes.ts'
import { openSession } from '../../../src/engine/session.ts'
import { decide } from './oracle.ts'
import { link, type Populations, placesOf } from './populations.ts'

/**
 * Links populations together and compares every decision with the oracle's. Throws at the first that differs.
 *
 * @returns the passes and outcomes that were met.
 */
export async function agree(groups: Populations, rules: LinkRules): Promise<Set<string>> {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-oracle-'))
  const session = await openSession({ scratchDir: dir, memoryMiB: 128, threads: 1 })
  try {
    const verdicts = groups.map(({ records, notices }) => decide(records, notices, rules))
    const population = {
      records: groups.flatMap(({ records }) => records),
      notices: groups.flatMap(({ notices }) => notices),
    }
    const expected = {
      decisions: verdicts.flatMap(({ decisions }, group) =>
        decisions.map((one) => ({ ...one, person: one.person && `${group} ${one.person}` })),
      ),
      hubs: sumOf(verdicts.map(({ hubs }) => hubs)),
      notices: sumOf(verdicts.map((verdict) => verdict.notices)),
      pairs: sumOf(verdicts.map(({ pairs }) => pairs)),
    }
    const result = await link(session, dir, population, { rules })
    const places = await placesOf(session, result)
    const ordinals = new Map<string, number>()
    const counted: Record<string, Record<string, number>> = {}
    const seen = new Set<string>()
    for (const [index, { outcome, pass, person }] of expected.decisions.entries()) {
      const { agency = '', serial = '' } = population.records[index] ?? {}
      const place = places.get(`${agency} ${serial}`)
      const at = `${agency} ${serial}`
      counted[agency] ??= Object.fromEntries(outcomes.map((name) => [name, 0]))
      counted[agency][outcome] = (counted[agency][outcome] ?? 0) + 1
      seen.add(`${pass} ${outcome}`)
      if (place === undefined) throw new Error(`${at} has no place`)
      if (person === undefined) {
        if (place.ordinal !== null) throw new Error(`${at} is linked, not ${outcome} (${pass})`)
        continue
      }
      if (place.ordinal === null) throw new Error(`${at} is not linked, not ${outcome} (${pass})`)
      if (place.pass !== pass) throw new Error(`${at}: pass ${place.pass}, not ${pass}`)
      if ((ordinals.get(person) ?? place.ordinal) !== place.ordinal)
        throw new Error(`${at}: another person`)
      ordinals.set(person, place.ordinal)
    }
    if (new Set(ordinals.values()).size !== ordinals.size) throw new Error('two persons are one')
    if (result.persons !== ordinals.size) throw new Error('persons without a record')
    same('hubs', result.report.hubsByKey, expected.hubs)
    same('notices', result.report.notices, expected.notices)
    same('pairs of the spine', result.report.spinePairs, expected.pairs)
    for (const [agency, counts] of Object.entries(result.report.agencies))
      same(
        agency,
        Object.fromEntries(outcomes.map((name) => [name, counts[name]])),
        counted[agency],
      )
    return seen
  } finally {
    session.close()
    await rm(dir, { recursive: true, force: true })
  }
}

function sumOf(counts: readonly Record<string, number>[]): Record<string, number> {
  const names = Object.keys(counts[0] ?? {})
  const sum = (name: string): number => counts.reduce((all, one) => all + (one[name] ?? 0), 0)
  return Object.fromEntries(names.map((name) => [name, sum(name)]))
}

function same(what: string, got: unknown, wanted: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`)
}
