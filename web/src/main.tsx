import './lib/strict-policy.ts'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { sdk } from './lib/sdk.ts'
import './styles.css'

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element #root')
createRoot(root).render(
  <StrictMode>
    <App client={sdk} />
  </StrictMode>,
)
