export * from '../../../../app/testing.ts'
