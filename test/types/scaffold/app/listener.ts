export * from '../../../../app/listener.ts'
