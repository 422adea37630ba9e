"""Prefect flows, one a stage, plus the whole run and the night; importing it sets the stage."""

from pathlib import Path

from latentbeta.environment import configure

PROJECT = Path(__file__).resolve().parents[1]

configure(PROJECT)  # before any module of this folder imports Prefect
