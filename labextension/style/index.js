import './base.css';
import './integration.css';
