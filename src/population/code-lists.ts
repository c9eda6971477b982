/**
 * What the synthetic population draws from. Shares are rough figures of public cancer and census
 * statistics.
 */

/**
 * A cancer site: ICD-O-3 topography, number of sub-sites, morphology, and how it falls on people.
 */
export type Site = {
  code: string
  subSites: number
  morphology: string
  /** Share among a thousand men, and women, with cancer. */
  men: number
  women: number
  /** Age at diagnosis in years: mean and standard deviation. */
  age: number
  spread: number
  /** Share of patients who die of it in the end. */
  fatality: number
}

type SiteRow = [string, number, string, number, number, number, number, number]

const siteRows: SiteRow[] = [
  ['C16', 10, '8140', 150, 82, 65, 12, 0.28],
  ['C18', 10, '8140', 75, 68, 68, 12, 0.32],
  ['C19', 1, '8140', 12, 9, 66, 12, 0.3],
  ['C20', 1, '8140', 48, 32, 66, 12, 0.29],
  ['C22', 2, '8170', 92, 36, 63, 12, 0.6],
  ['C23', 1, '8140', 9, 11, 70, 11, 0.68],
  ['C25', 10, '8500', 34, 33, 69, 11, 0.85],
  ['C34', 10, '8140', 158, 88, 69, 11, 0.62],
  ['C44', 10, '8090', 20, 27, 70, 14, 0.06],
  ['C50', 10, '8500', 1, 232, 53, 11, 0.09],
  ['C53', 10, '8070', 0, 36, 53, 14, 0.2],
  ['C54', 4, '8380', 0, 32, 55, 11, 0.13],
  ['C56', 1, '8441', 0, 28, 54, 14, 0.36],
  ['C61', 1, '8140', 128, 0, 71, 8, 0.11],
  ['C64', 1, '8310', 42, 20, 60, 13, 0.17],
  ['C67', 10, '8120', 38, 9, 70, 11, 0.26],
  ['C71', 10, '9440', 9, 8, 55, 18, 0.6],
  ['C73', 1, '8260', 72, 188, 48, 12, 0.01],
  ['C83', 10, '9680', 31, 23, 61, 16, 0.37],
  ['C90', 1, '9732', 11, 9, 67, 11, 0.55],
  ['C92', 1, '9861', 24, 17, 56, 20, 0.5],
  ['C32', 4, '8070', 20, 2, 66, 10, 0.24],
  ['C15', 10, '8070', 26, 3, 67, 9, 0.58],
]

/** Common cancers, with those of one sex only. */
export const sites: readonly Site[] = siteRows.map(
  ([code, subSites, morphology, men, women, age, spread, fatality]) => ({
    code,
    subSites,
    morphology,
    men,
    women,
    age,
    spread,
    fatality,
  }),
)

/**
 * Diagnoses of everyday claims (KCD) with their weights. The last ones are of the sensitive classes
 * that a release leaves out by default: mental illness, sexually transmitted infection, HIV, rare
 * disease, abuse, abortion.
 */
export const diagnoses: readonly [code: string, weight: number, sex?: 'M' | 'F'][] = [
  ['I10', 110],
  ['J20.9', 70],
  ['E11.9', 60],
  ['K21.0', 45],
  ['M54.5', 55],
  ['J30.4', 40],
  ['K29.7', 40],
  ['E78.5', 55],
  ['M17.1', 35],
  ['J06.9', 40],
  ['K05.3', 30],
  ['H25.9', 18],
  ['I20.9', 16],
  ['I25.1', 16],
  ['I63.9', 12],
  ['N18.5', 8],
  ['E03.9', 20],
  ['G47.0', 14],
  ['M81.0', 22],
  ['L30.9', 25],
  ['R10.4', 22],
  ['N39.0', 16],
  ['A09.9', 18],
  ['S33.5', 18],
  ['H10.1', 16],
  ['K59.0', 14],
  ['D64.9', 12],
  ['J45.9', 12],
  ['B18.1', 14],
  ['K74.6', 8],
  ['I50.9', 8],
  ['J18.9', 10],
  ['N40', 45, 'M'],
  ['N95.1', 30, 'F'],
  ['N76.0', 12, 'F'],
  ['O80.9', 2, 'F'],
  ['F32.9', 14],
  ['F41.9', 10],
  ['F20.0', 2],
  ['A53.9', 1],
  ['B20', 1],
  ['G12.2', 1],
  ['T74.1', 1],
  ['O04.9', 1, 'F'],
]

/** Procedure codes of treatment lines, in the form of the fee schedule. */
export const procedures: readonly string[] = [
  'AA157',
  'AA257',
  'AB200',
  'C2243',
  'C3720',
  'D2800',
  'E6541',
  'HA201',
  'HA474',
  'HD057',
  'KK020',
  'KK054',
  'MM042',
  'NA011',
  'Q2861',
  'QA241',
  'S4651',
  'B0010',
  'CZ394',
  'HE101',
]

/** Ingredient codes of prescriptions: nine characters. */
export const ingredients: readonly string[] = [
  '101301ATB',
  '107601ATB',
  '111501ATB',
  '115501ATB',
  '133301ATB',
  '148602ATB',
  '162401ACH',
  '167201ATB',
  '185801ATB',
  '191502ATB',
  '204901ACH',
  '217034ASY',
  '222801ATB',
  '234201ATB',
  '247102ATB',
  '361501ATB',
  '453201ATB',
  '472300ATB',
  '511401ATB',
  '612101BIJ',
  '141901ATB',
  '224201BIJ',
]

/** Provinces with their share of the population in a thousand. */
export const provinces: readonly [code: string, weight: number][] = [
  ['11', 185],
  ['26', 65],
  ['27', 46],
  ['28', 57],
  ['29', 28],
  ['30', 28],
  ['31', 22],
  ['36', 7],
  ['41', 262],
  ['42', 30],
  ['43', 31],
  ['44', 41],
  ['45', 35],
  ['46', 36],
  ['47', 51],
  ['48', 64],
  ['50', 13],
]
