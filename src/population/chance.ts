/**
 * The one rule of the generator: nothing is random. Whatever chance would choose is a hash of the
 * seed, a tag that names the choice and the number of the person or row. So the same seed gives the
 * same population on any machine, whatever the order in which rows are made and however many
 * threads make them.
 */
import { quoteText, type Session } from '../engine/session.ts'
import { diagnoses, ingredients, procedures, provinces, sites } from './code-lists.ts'
import {
  firstSyllables,
  foreignNames,
  institutionStems,
  rareSyllables,
  secondSyllables,
  surnames,
} from './names.ts'

/**
 * Gives the session the seed, the lists and these macros: `dice(tag, i)`, 64 evenly spread bits;
 * `u(tag, i)`, a number in [0, 1); `pick(list, bits)`, an element; `bell(tag, i)`, mean 0 and
 * standard deviation 1, between -3.5 and 3.5.
 */
export async function bringChance(session: Session, seed: number): Promise<void> {
  await session.run(`set variable seed = ${BigInt(seed)}::bigint`)
  for (const [name, values] of Object.entries(lists())) {
    const literals = values.map((v) => (typeof v === 'number' ? String(v) : quoteText(v)))
    await session.run(`set variable ${name} = [${literals.join(', ')}]`)
  }
  // DuckDB combines hashes of several values by an exclusive or: alone, two choices about one
  // person would differ by a constant and be no two choices at all. The outer hash parts them.
  await session.run(`
    create macro dice(tag, i) as hash(hash(getvariable('seed'), tag, i::bigint));
    create macro u(tag, i) as (dice(tag, i) >> 11)::double / 9007199254740992.0;
    create macro pick(choices, bits) as choices[1 + (bits % len(choices)::ubigint)::integer];
    create macro bell(tag, i) as
      (u(tag || '1', i) + u(tag || '2', i) + u(tag || '3', i) + u(tag || '4', i) - 2) * 1.7320508;
  `)
}

function lists(): Record<string, (string | number)[]> {
  const all: Record<string, (string | number)[]> = {
    surnames: weighted(surnames),
    families: [...foreignNames.family],
    givens: [...foreignNames.given],
    rare: [...rareSyllables],
    stems: [...institutionStems],
    procedures: [...procedures],
    ingredients: [...ingredients],
    sidos: weighted(provinces),
    site_code: sites.map((site) => site.code),
    site_subs: sites.map((site) => site.subSites),
    site_morphology: sites.map((site) => site.morphology),
    site_age: sites.map((site) => site.age),
    site_spread: sites.map((site) => site.spread),
    site_fatality: sites.map((site) => site.fatality),
    sites_m: weighted(sites.map((site, i) => [i + 1, site.men])),
    sites_f: weighted(sites.map((site, i) => [i + 1, site.women])),
  }
  for (const sex of ['M', 'F'] as const) {
    all[`first_${sex.toLowerCase()}`] = [...firstSyllables[sex]]
    all[`second_${sex.toLowerCase()}`] = [...secondSyllables[sex]]
    const own = diagnoses.filter(([, , only]) => only === undefined || only === sex)
    all[`kcd_${sex.toLowerCase()}`] = weighted(own.map(([code, weight]) => [code, weight]))
  }
  return all
}

/** A value as often as its weight says, so that an even pick from the list is a weighted one. */
function weighted<T>(choices: readonly (readonly [T, number])[]): T[] {
  return choices.flatMap(([value, weight]) => Array<T>(weight).fill(value))
}
