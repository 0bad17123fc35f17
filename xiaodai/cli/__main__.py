from xiaodai.cli import main

main()
