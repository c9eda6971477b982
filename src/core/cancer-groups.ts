/**
 * The sites by which the Korean registry reports, by topography (ICD-O-3, C codes), and what only one sex can have.
 * Blood and lymph nodes stand by their topography; lymphoma and leukaemia would need the morphology as well.
 */

export type CancerGroup = { code: string; from: number; to: number; en: string; ko: string }

/** In the order of their codes; `from` and `to` are the two digits after C, both included. */
export const cancerGroups: readonly CancerGroup[] = [
  { code: 'C00-C14', from: 0, to: 14, en: 'Lip, mouth, pharynx', ko: '입술·구강·인두' },
  { code: 'C15', from: 15, to: 15, en: 'Oesophagus', ko: '식도' },
  { code: 'C16', from: 16, to: 16, en: 'Stomach', ko: '위' },
  { code: 'C18-C20', from: 18, to: 20, en: 'Colon, rectum', ko: '대장' },
  { code: 'C22', from: 22, to: 22, en: 'Liver', ko: '간' },
  { code: 'C23-C24', from: 23, to: 24, en: 'Gallbladder, bile ducts', ko: '담낭·담도' },
  { code: 'C25', from: 25, to: 25, en: 'Pancreas', ko: '췌장' },
  { code: 'C32', from: 32, to: 32, en: 'Larynx', ko: '후두' },
  { code: 'C33-C34', from: 33, to: 34, en: 'Lung', ko: '폐' },
  { code: 'C42', from: 42, to: 42, en: 'Blood, marrow', ko: '혈액·골수' },
  { code: 'C44', from: 44, to: 44, en: 'Skin', ko: '피부' },
  { code: 'C50', from: 50, to: 50, en: 'Breast', ko: '유방' },
  { code: 'C53', from: 53, to: 53, en: 'Cervix', ko: '자궁경부' },
  { code: 'C54-C55', from: 54, to: 55, en: 'Uterus', ko: '자궁체부' },
  { code: 'C56', from: 56, to: 56, en: 'Ovary', ko: '난소' },
  { code: 'C61', from: 61, to: 61, en: 'Prostate', ko: '전립선' },
  { code: 'C62', from: 62, to: 62, en: 'Testis', ko: '고환' },
  { code: 'C64', from: 64, to: 64, en: 'Kidney', ko: '신장' },
  { code: 'C67', from: 67, to: 67, en: 'Bladder', ko: '방광' },
  { code: 'C70-C72', from: 70, to: 72, en: 'Brain, nerves', ko: '뇌·중추신경계' },
  { code: 'C73', from: 73, to: 73, en: 'Thyroid', ko: '갑상선' },
  { code: 'C77', from: 77, to: 77, en: 'Lymph nodes', ko: '림프절' },
]

/** Sites that only women have, and that only men have: first and last two digits after C. */
export const sitesOfOneSex = { women: [51, 58], men: [60, 63] } as const
