/** `bulk/june.report.csv` for `bulk/june.csv`. */
export const reportIdOf = (publicId: string): string => publicId.replace(/\.csv$/i, '.report.csv')

export const isReport = (publicId: string): boolean => /\.report\.csv$/i.test(publicId)
