/**
 * A second writing of the rules of `shared/LINKAGE.md`: slow, and looking at every record each time. Nothing here is shared
 * with the engine; what both say of any population must be the same.
 */
import type { LinkRules, Outcome } from '../../../src/core/passes.ts'

export type KeyName = 'k1' | 'k2' | 'k3' | 'k4' | 'k5'

/** One record. Keys are compared and nothing else. */
export type OracleRecord = {
  agency: string
  isSpine: boolean
  isDuplicateFree: boolean
  serial: string
} & Partial<Record<KeyName, string>>

export type Decision = {
  outcome: Outcome
  pass: number
  /** Equal exactly for records of one person; undefined where linked to nobody. */
  person: string | undefined
}

export type Verdict = {
  decisions: Decision[]
  hubs: Record<string, number>
  /** Pairs of numbers that somebody told: how many of them made one number of two. */
  notices: { used: number; setAside: number }
  /** Pairs of spine persons that may be one, and that were made one. */
  pairs: { possible: number; match: number }
}

type Person = { id: string; spine: OracleRecord[]; members: OracleRecord[]; isContested: boolean }

/** Decides on every record, in the order of `records`. */
export function decide(
  delivered: readonly OracleRecord[],
  notices: readonly (readonly [string, string])[],
  rules: LinkRules,
): Verdict {
  const hubs = {
    k1: hubsOf(delivered, 'k1', rules),
    k2: hubsOf(delivered, 'k2', rules),
    k3: hubsOf(delivered, 'k3', rules),
    k5: hubsOf(delivered, 'k5', rules),
  }
  const sameNumber = classesOf(notices, hubs.k1, rules)
  const number = (record: OracleRecord): string | undefined =>
    record.k1 === undefined || hubs.k1.has(record.k1) ? undefined : sameNumber(record.k1)
  const sound = (record: OracleRecord, key: 'k2' | 'k3' | 'k5'): string | undefined => {
    const value = record[key]
    return value === undefined || hubs[key].has(value) ? undefined : value
  }
  const decisions = new Map<OracleRecord, Decision>()
  const persons = found(delivered, { number, hubs: hubs.k1, decisions })
  const pairs = joinTwins(persons, { sound, number, rules, decisions })
  byNumber(delivered, persons, { number, hubs: hubs.k1, decisions })
  byWeakerKeys(delivered, persons, { number, sound, rules, decisions })
  return {
    decisions: delivered.map((record) => decisions.get(record) ?? none),
    hubs: { K1: hubs.k1.size, K2: hubs.k2.size, K3: hubs.k3.size, K5: hubs.k5.size },
    notices: noticesOf(notices, hubs.k1, sameNumber),
    pairs,
  }
}

const none: Decision = { outcome: 'none', pass: 9, person: undefined }

function distinct(values: readonly (string | undefined)[]): Set<string> {
  return new Set(values.filter((value) => value !== undefined))
}

function hubsOf(records: readonly OracleRecord[], key: KeyName, rules: LinkRules): Set<string> {
  const hubs = new Set<string>()
  for (const value of distinct(records.map((record) => record[key]))) {
    const same = records.filter((record) => record[key] === value)
    if (distinct(same.map(({ k4 }) => k4)).size > rules.hubK4Max) hubs.add(value)
    for (const { agency } of same) {
      const own = same.filter((record) => record.agency === agency)
      if (own.length > rules.hubSerialsMax) hubs.add(value)
    }
  }
  return hubs
}

/** Which numbers are one: walks from number to number along notices that name no hub. */
function classesOf(
  notices: readonly (readonly [string, string])[],
  hubs: ReadonlySet<string>,
  rules: LinkRules,
): (k1: string) => string {
  const usable = notices.filter(([a, b]) => a !== b && !hubs.has(a) && !hubs.has(b))
  return (k1) => {
    const reached = new Set([k1])
    for (let size = 0; size !== reached.size; ) {
      size = reached.size
      for (const [a, b] of usable) {
        if (reached.has(a)) reached.add(b)
        if (reached.has(b)) reached.add(a)
      }
    }
    return reached.size > rules.noticeNumbersMax ? k1 : ([...reached].sort()[0] ?? k1)
  }
}

/** A notice was used if it names no hub and its numbers are one. */
function noticesOf(
  notices: readonly (readonly [string, string])[],
  hubs: ReadonlySet<string>,
  sameNumber: (k1: string) => string,
): Verdict['notices'] {
  const told = notices.filter(([a, b]) => a !== b).map((pair) => [...pair].sort().join('\n'))
  const pairs = [...new Set(told)].map((pair) => pair.split('\n') as [string, string])
  const used = pairs.filter(
    ([a, b]) => !hubs.has(a) && !hubs.has(b) && sameNumber(a) === sameNumber(b),
  ).length
  return { used, setAside: pairs.length - used }
}

type Known = {
  number: (record: OracleRecord) => string | undefined
  decisions: Map<OracleRecord, Decision>
}

/** The persons that the spine founds. */
function found(
  records: readonly OracleRecord[],
  { number, hubs, decisions }: Known & { hubs: ReadonlySet<string> },
): Person[] {
  const persons = new Map<string, Person>()
  const put = (record: OracleRecord, id: string, outcome: Outcome, pass: number): void => {
    const person = persons.get(id) ?? {
      id,
      spine: [],
      members: [],
      isContested: outcome === 'conflict',
    }
    person.spine.push(record)
    persons.set(id, person)
    decisions.set(record, { outcome, pass, person: id })
  }
  const spine = records.filter(({ isSpine }) => isSpine)
  for (const record of spine) {
    const own = `serial ${record.serial}`
    const its = number(record)
    if (record.k1 === undefined) put(record, own, 'founded', 9)
    else if (hubs.has(record.k1)) put(record, own, 'quarantined', 0)
    else {
      const same = spine.filter((other) => number(other) === its)
      const births = distinct(same.map(({ k4 }) => k4))
      if (same.length === 1) put(record, `number ${its}`, 'founded', 9)
      else if (record.isDuplicateFree) put(record, own, 'conflict', 3)
      else if (births.size <= 1) put(record, `number ${its}`, 'founded', 9)
      else if (record.k4 === undefined) put(record, own, 'conflict', 3)
      else put(record, `number ${its} born ${record.k4}`, 'conflict', 3)
    }
  }
  return [...persons.values()]
}

function birthOf(person: Person): string | undefined {
  return [...distinct([...person.spine, ...person.members].map(({ k4 }) => k4))][0]
}

type Sound = (record: OracleRecord, key: 'k2' | 'k3' | 'k5') => string | undefined
type Settling = Known & { sound: Sound; rules: LinkRules }

/** Spine persons that agree in K2 or K3 although their numbers do not say that they are one. */
function joinTwins(
  persons: Person[],
  { sound, number, rules, decisions }: Settling,
): { possible: number; match: number } {
  if (persons.some(({ spine }) => spine.some(({ isDuplicateFree }) => isDuplicateFree)))
    return { possible: 0, match: 0 }
  const shares = (a: Person, b: Person, key: 'k2' | 'k3'): boolean =>
    a.spine.some((one) =>
      b.spine.some((two) => sound(one, key) !== undefined && sound(one, key) === sound(two, key)),
    )
  const pairs: { a: Person; b: Person; isStrong: boolean }[] = []
  for (const [at, a] of persons.entries()) {
    for (const b of persons.slice(at + 1)) {
      if (a.isContested || b.isContested) continue
      const [k2, k3] = [shares(a, b, 'k2'), shares(a, b, 'k3')]
      const [born, bornToo] = [birthOf(a), birthOf(b)]
      if (!k2 && !k3) continue
      if (born !== undefined && bornToo !== undefined && born !== bornToo) continue
      pairs.push({ a, b, isStrong: k2 && k3 })
    }
  }
  let match = 0
  for (const { a, b, isStrong } of pairs) {
    const touching = pairs.filter((pair) => [pair.a, pair.b].some((one) => one === a || one === b))
    if (!rules.promotePossible || !isStrong || touching.length > 1) continue
    match++
    a.spine.push(...b.spine)
    for (const record of b.spine) {
      const decision = decisions.get(record)
      if (decision) decisions.set(record, { ...decision, person: a.id })
    }
    persons.splice(persons.indexOf(b), 1)
  }
  void number
  return { possible: pairs.length - match, match }
}

const conflictAt = (pass: number): Decision => ({ outcome: 'conflict', pass, person: undefined })

function byNumber(
  records: readonly OracleRecord[],
  persons: readonly Person[],
  { number, hubs, decisions }: Known & { hubs: ReadonlySet<string> },
): void {
  const others = records.filter(({ isSpine }) => !isSpine)
  const first = new Map(
    others.map((record) => [record, firstOf(record, persons, { number, hubs })] as const),
  )
  const linkedTo = (person: Person): OracleRecord[] =>
    others.filter((record) => first.get(record)?.person === person.id)
  for (const person of persons) {
    if (person.spine.some(({ k4 }) => k4 !== undefined)) continue
    const brought = linkedTo(person).filter(({ k4 }) => k4 !== undefined)
    if (distinct(brought.map(({ k4 }) => k4)).size < 2) continue
    for (const record of brought) first.set(record, conflictAt(3))
  }
  for (const person of persons) {
    const linked = linkedTo(person)
    for (const record of linked) {
      const own = linked.filter(({ agency }) => agency === record.agency)
      if (record.isDuplicateFree && own.length > 1) first.set(record, conflictAt(3))
    }
  }
  for (const [record, decision] of first) decisions.set(record, decision)
  for (const person of persons) person.members.push(...linkedTo(person))
}

/** Passes 0 to 4 and 9 for one record that is not of the spine. */
function firstOf(
  record: OracleRecord,
  persons: readonly Person[],
  { number, hubs }: Pick<Known, 'number'> & { hubs: ReadonlySet<string> },
): Decision {
  if (record.k1 !== undefined && hubs.has(record.k1))
    return { outcome: 'quarantined', pass: 0, person: undefined }
  const its = number(record)
  const same = persons.filter(({ spine }) =>
    spine.some((one) => its !== undefined && number(one) === its),
  )
  if (same.length === 0) return none
  const contested = same.some(({ isContested }) => isContested)
  const person = contested
    ? same.find(
        ({ id, spine }) =>
          record.k4 !== undefined && id.includes(' born ') && spine[0]?.k4 === record.k4,
      )
    : same[0]
  if (person === undefined) return conflictAt(3)
  const born = [...distinct(person.spine.map(({ k4 }) => k4))][0]
  const isUnknown = born === undefined || record.k4 === undefined
  if (!isUnknown && born !== record.k4) return conflictAt(3)
  if (!person.spine.some(({ k1 }) => k1 === record.k1))
    return { outcome: 'match', pass: 4, person: person.id }
  return isUnknown
    ? { outcome: 'match', pass: 2, person: person.id }
    : { outcome: 'perfect', pass: 1, person: person.id }
}

type Late = { record: OracleRecord; person: Person }

function byWeakerKeys(
  records: readonly OracleRecord[],
  persons: readonly Person[],
  { number, sound, rules, decisions }: Settling,
): void {
  const open = new Set(
    records.filter((record) => {
      const outcome = decisions.get(record)?.outcome
      return !record.isSpine && (outcome === 'none' || outcome === 'quarantined')
    }),
  )
  const knownTo = (person: Person): OracleRecord[] => [...person.spine, ...person.members]
  const shares = (record: OracleRecord, person: Person, key: 'k2' | 'k3' | 'k5'): boolean =>
    knownTo(person).some(
      (known) =>
        sound(record, key) !== undefined &&
        sound(record, key) === sound(known, key) &&
        (key !== 'k5' || known.agency !== record.agency),
    )
  const hasNumber = (person: Person): boolean => person.spine.some((one) => number(one))
  const differ = (record: OracleRecord, person: Person): boolean =>
    number(record) !== undefined && hasNumber(person)
  const isAllowed = (record: OracleRecord, person: Person): boolean => {
    const born = birthOf(person)
    return born === undefined || record.k4 === undefined || born === record.k4
  }
  const accepted: Late[] = []
  const settle = (wanted: Late[], pass: number, isPromotion = false): Late[] => {
    let standing = wanted
    const without = (key: (record: OracleRecord) => string | undefined, all: boolean): void => {
      const before = standing
      standing = before.filter(({ record, person }) => {
        if (key(record) === undefined || !all) {
          if (key(record) === undefined) return true
          if (birthOf(person) !== undefined) return true
        }
        const brought = [...before, ...accepted].filter((late) => late.person === person)
        return distinct(brought.map((late) => key(late.record))).size < 2
      })
    }
    if (!isPromotion) without(number, true)
    without(({ k4 }) => k4, false)
    const before = standing
    standing = before.filter(({ record, person }) => {
      const own = [
        ...person.members,
        ...[...before, ...accepted]
          .filter((late) => late.person === person)
          .map((late) => late.record),
      ].filter(({ agency }) => agency === record.agency)
      return !record.isDuplicateFree || own.length === 1
    })
    for (const { record, person } of standing)
      decisions.set(record, { outcome: 'match', pass, person: person.id })
    accepted.push(...standing)
    return standing
  }
  const strong: Late[] = []
  for (const record of open) {
    const by = persons.filter(
      (person) =>
        (shares(record, person, 'k3') || shares(record, person, 'k5')) &&
        !differ(record, person) &&
        isAllowed(record, person),
    )
    if (by.length === 0) continue
    open.delete(record)
    decisions.set(record, conflictAt(5))
    if (by.length === 1 && by[0]) strong.push({ record, person: by[0] })
  }
  settle(strong, 5)
  const named: Late[] = []
  for (const record of [...open]) {
    const k2 = sound(record, 'k2')
    if (k2 === undefined) continue
    const knowing = persons.filter((person) => shares(record, person, 'k2'))
    const holders = records.filter((other) => sound(other, 'k2') === k2)
    const isUnique =
      knowing.length === 1 &&
      distinct(holders.map(number)).size <= 1 &&
      holders.filter(({ agency }) => agency === record.agency).length === 1
    const [person] = knowing
    if (!person || !isUnique || differ(record, person) || !isAllowed(record, person)) continue
    open.delete(record)
    decisions.set(record, conflictAt(6))
    named.push({ record, person })
  }
  settle(named, 6)
  const single: Late[] = []
  for (const record of open) {
    const by = persons.filter(
      (person) =>
        (['k2', 'k3', 'k5'] as const).some((key) => shares(record, person, key)) &&
        isAllowed(record, person),
    )
    if (by.length === 0) continue
    const pass = by.some((person) => !differ(record, person)) ? 7 : 8
    decisions.set(record, { outcome: 'possible', pass, person: undefined })
    const [person] = by
    if (by.length > 1 || !person) continue
    const agreeing = (['k2', 'k3', 'k5'] as const).filter((key) => shares(record, person, key))
    if (agreeing.length >= 2) single.push({ record, person })
  }
  if (rules.promotePossible) settle(single, 8, true)
}
