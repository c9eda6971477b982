/**
 * The dirt of real sources (`shared/KOREA.md` §5), each kind at a rate. A person has at most one
 * kind of dirt that touches its numbers, so that each kind can be counted and none hides another.
 */
export type DirtRates = {
  /**
   * Share of persons whose number changed, with a notice from NHIS. Agencies hold the old or the
   * new one.
   */
  changedWithNotice: number
  /** Share of persons whose number changed and nobody said so. */
  changedWithoutNotice: number
  /**
   * Share of persons who were foreigners and became citizens: other number, other name. Half come
   * with a notice.
   */
  naturalised: number
  /**
   * Share of spine persons whose number another person, born another day, uses at HIRA and NHIS.
   */
  numberOnTwoPersons: number
  /** Share of persons with two local ids in HIRA and in KDCA. */
  duplicates: number
  /** Share of persons whose birth date is missing in HIRA and KDCA. */
  missingBirthDates: number
  /**
   * Share of persons outside the spine who are newborns and stand under their mother's number at
   * HIRA.
   */
  parentsNumbers: number
  /** Share of an agency's records, of persons without dirt of their own, with an empty number. */
  missingNumbers: number
  /** Likewise with a placeholder such as 0000000000000. */
  placeholders: number
  /** Likewise with a typing error in the number. It is never another person's number. */
  typosInNumbers: number
  /** Share of all records with a typing error in the name. */
  typosInNames: number
  /** Share of deaths that Statistics Korea reports only in the second wave. */
  lateDeaths: number
  /** Share of statements about a person already dead. */
  claimsAfterDeath: number
  /**
   * How many hub numbers there are; each stands on `personsOnAHub` persons at HIRA and NHIS, and on
   * two of them at NCC.
   */
  hubNumbers: number
  personsOnAHub: number
}

export const defaultDirt: DirtRates = {
  changedWithNotice: 0.002,
  changedWithoutNotice: 0.002,
  naturalised: 0.001,
  numberOnTwoPersons: 0.001,
  duplicates: 0.004,
  missingBirthDates: 0.002,
  parentsNumbers: 0.01,
  missingNumbers: 0.003,
  placeholders: 0.0005,
  typosInNumbers: 0.002,
  typosInNames: 0.01,
  lateDeaths: 0.03,
  claimsAfterDeath: 0.0005,
  hubNumbers: 1,
  personsOnAHub: 30,
}

/**
 * Share of the persons that each agency knows. Who is missing is nobody's dirt: most unlinked
 * people are of this kind.
 */
export const coverage = { nhis: 0.97, hira: 0.95, kdca: 0.88 } as const

/** Persons outside the spine for each spine person. */
export const outsideShare = 0.2

export type PopulationOptions = {
  /** Spine persons, that is cancer patients: 1,000 to 3,000,000. */
  persons: number
  /**
   * Chooses everything that chance would choose: 0 to 2^53 - 1. The same seed gives the same bytes.
   */
  seed: number
  /** Must not exist or be empty. */
  outDir: string
  /**
   * `changing` (default): HIRA's statements up to 2020 have other column names in another order.
   */
  layout?: 'changing' | 'steady'
  dirt?: Partial<DirtRates>
  /**
   * HIRA's statements for each spine person; as many diagnoses, half as many treatment lines and
   * prescriptions. Default 20, which gives the sizes s and m of `shared/DESIGN.md` §9; size l is
   * 2,600,000 persons with 38.5.
   */
  statementsPerPerson?: number
  /** Default 2. The bytes do not depend on it. */
  threads?: number
  /** Default 1,024. */
  memoryMiB?: number
  /** Called after every file. */
  onProgress?: (progress: { file: string; rows: number; rowsSoFar: number }) => void
}
